#!/bin/sh
# Makes the guest that judges podplane: a Debian kernel and an initramfs with Open vSwitch, iptables and the agent.
#
#   scripts/oracle-guest.sh FOLDER     writes FOLDER/vmlinuz and FOLDER/initramfs.cpio; does nothing when they are there
#
# Needs apt-get, dpkg, cpio, ldd, depmod (kmod), busybox-static, and on this machine what the guest gets a copy of:
# openvswitch-switch, iptables, iproute2, ethtool, python3. Installs nothing; the kernel package is only unpacked.
set -eu
out=${1:?usage: oracle-guest.sh FOLDER}
here=$(cd "$(dirname "$0")/.." && pwd)
agent=$here/test/oracle/agent
mkdir -p "$out"
out=$(cd "$out" && pwd)
if [ -f "$out/initramfs.cpio" ] && [ -z "$(find "$agent"/*.py "$0" -newer "$out/initramfs.cpio")" ]; then
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

if [ ! -d "$out/kernel" ]; then
  # The first dependency of the meta package is the kernel of the day.
  package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-[0-9]/ { print $2; exit }')
  (cd "$work" && apt-get download -qq "$package" >/dev/null 2>&1)
  dpkg -x "$work"/linux-image-*.deb "$work/kernel"
  mv "$work/kernel" "$out/kernel"
fi
cp "$out"/kernel/boot/vmlinuz-* "$out/vmlinuz"
version=$(basename "$out"/kernel/lib/modules/*)

mkdir -p "$root/dev" "$root/proc" "$root/sys" "$root/run/netns" "$root/tmp" "$root/etc" "$root/bin" "$root/var/run"
modules=$root/lib/modules/$version
mkdir -p "$modules"
for path in net lib crypto drivers/net/vxlan drivers/net/veth.ko drivers/net/dummy.ko drivers/net/tun.ko \
  drivers/virtio drivers/char/virtio_console.ko drivers/net/geneve.ko; do
  [ -e "$out/kernel/lib/modules/$version/kernel/$path" ] || continue
  mkdir -p "$modules/kernel/$(dirname "$path")"
  cp -r "$out/kernel/lib/modules/$version/kernel/$path" "$modules/kernel/$path"
done
cp "$out/kernel/lib/modules/$version"/modules.builtin* "$out/kernel/lib/modules/$version/modules.order" "$modules/"
depmod -b "$root" "$version"

# Where Python is itself, as a version manager may have put a wrapper on the path.
python=$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')

# A program, and the libraries that it is linked with.
take() {
  for file in "$@"; do
    [ -e "$root$file" ] || { mkdir -p "$root$(dirname "$file")"; cp -L "$file" "$root$file"; }
    ldd "$file" 2>/dev/null | awk '/=> \// { print $3 } /^\t\/lib/ { print $1 }' | while read -r library; do
      [ -e "$root$library" ] || { mkdir -p "$root$(dirname "$library")"; cp -L "$library" "$root$library"; }
    done
  done
}
take "$(command -v busybox)" "$(command -v ip)" "$(command -v tc)" "$(command -v bridge)" "$(command -v ethtool)" "$python"
for name in ovsdb-server ovsdb-tool ovs-vswitchd ovs-vsctl ovs-ofctl ovs-appctl; do take "$(command -v $name)"; done
for name in iptables iptables-restore iptables-save; do
  take "$(readlink -f "$(command -v $name)")"
  mkdir -p "$root/usr/sbin"
  ln -sf "$(basename "$(readlink -f "$(command -v $name)")")" "$root/usr/sbin/$name"
done
for extension in /usr/lib/*/xtables/lib*.so; do take "$extension"; done
mkdir -p "$root/usr/share/openvswitch"
cp /usr/share/openvswitch/vswitch.ovsschema "$root/usr/share/openvswitch/"
# What the agent imports, as Python itself says, and what Python needs to start.
"$python" -B "$agent/main.py" --modules | while read -r file; do take "$file"; done
mkdir "$root/agent"
cp "$agent"/*.py "$root/agent/"
ln -sf "$(command -v busybox)" "$root/bin/sh"

cat > "$root/init" <<'INIT'
#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH PYTHONDONTWRITEBYTECODE=1
b=$(for p in /usr/bin/busybox /bin/busybox; do [ -x $p ] && echo $p && break; done)
$b mkdir -p /sbin
$b ln -sf $b /sbin/modprobe
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
$b mount -t tmpfs tmp /run
$b mkdir -p /run/netns
for m in virtio_pci virtio_console openvswitch vxlan veth bridge dummy tun nft_compat xt_statistic xt_recent \
  xt_nat xt_MASQUERADE xt_CT xt_comment xt_conntrack xt_addrtype xt_mark xt_tcpudp ipt_REJECT nft_chain_nat; do
  $b modprobe $m || echo "no module $m"
done
echo "guest is up"
port=/dev/vport0p1
n=0
while [ ! -e $port ] && [ $n -lt 50 ]; do n=$((n + 1)); $b sleep 0.1; for f in /dev/vport*; do [ -e $f ] && port=$f; done; done
PYTHON /agent/main.py --port $port
echo "agent ended"
$b poweroff -f
INIT
sed -i "s|^PYTHON |$python |" "$root/init"
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet) > "$out/initramfs.cpio.part"
mv "$out/initramfs.cpio.part" "$out/initramfs.cpio"
