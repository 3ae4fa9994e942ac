/** The MAC of a pod is made of its address: 0a:58, then the four bytes (containernetworking/plugins pkg/utils/hwaddr). */

/** First two octets; the other four are the address. */
export const POD_MAC_HI = 0x0a58;
