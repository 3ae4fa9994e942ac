/** The MAC of a pod, 0a:58 and its address, for those who write frames. */

export { POD_MAC_HI } from '../addr/mac.js';
