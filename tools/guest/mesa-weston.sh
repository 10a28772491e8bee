#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# weston with the GL renderer on a card, and clients that hand it the buffers of other
# devices. A line per case as tools/mesa/check reads it; logs, and a picture of the
# screen, in $VM_SHARE: DRIVER-RENDERER-CASE.png, as weston takes it itself, or of a
# virtio GPU DRIVER-RENDERER-CASE.ppm, as QEMU does.
#
#   mesa-weston.sh CLIENT DRIVER RENDERER CASE ...
#
# CLIENT is that of mesa-patches/tests. Cases: weston-vgem, where it draws in buffers of
# vgem; weston-v4l2, where weston-simple-dmabuf-v4l has those of a V4L2 device (vivid);
# weston-gstreamer, where waylandsink has them; weston-two, the first two, vgem's on top.

client=$1 driver=$2 renderer=$3
shift 3
seconds=240

late() {
	[ "$(cut -d. -f1 /proc/uptime)" -gt "$end" ]
}

# One that exits (PF_EXITING) is not: it closes its sockets, and others see that, before
# it is a zombie.
alive() {
	read -r _ _ state _ _ _ _ _ flags _ 2> /dev/null < "/proc/$1/stat" &&
		[ "$state" != Z ] && [ $((flags & 4)) = 0 ]
}

# until a command succeeds, or it cannot any more
until_true() { # COMMAND ...
	until "$@" || ! alive "$weston" || late; do :; done
}

# --- what is started -----------------------------------------------------------------

weston_begin() {
	cat > /tmp/weston.ini <<-END
		[core]
		require-input=false
		idle-time=0
		[shell]
		panel-position=none
		locking=false
		animation=none
		startup-animation=none
		background-color=0xff204060
	END
	weston --backend=drm-backend.so --drm-device="$card" --config=/tmp/weston.ini \
		--socket="$WAYLAND_DISPLAY" --debug > "$log" 2>&1 &
	weston=$!
	until_true grep -q "Loading module .*desktop-shell" "$log"
}

# A frame is over for a client when it may draw the next one.
v4l2_shown() {
	alive "$v4l2" || return 0
	[ "$(grep -c 'wl_callback@.*done([^0]' "$name-v4l2.log")" -ge 4 ]
}

v4l2_begin() { # COMMAND ...
	WAYLAND_DEBUG=1 "$@" > "$name-v4l2.log" 2>&1 &
	v4l2=$!
	until_true v4l2_shown
}

# To look at each plugin there is would take it minutes.
gstreamer_begin() {
	mkdir -p /tmp/plugins
	for plugin in coreelements video4linux2 waylandsink; do
		ln -sf /usr/lib/*/gstreamer-1.0/libgst$plugin.so /tmp/plugins
	done
	export GST_PLUGIN_SYSTEM_PATH_1_0=/tmp/plugins
	v4l2_begin gst-launch-1.0 v4l2src device=/dev/video0 io-mode=dmabuf \
		! video/x-raw,format=BGRx,width=640,height=480 ! waylandsink sync=false
}

vgem_shown() {
	! alive "$vgem" || grep -q shown "$name-vgem.log"
}

vgem_begin() {
	"$client" > "$name-vgem.log" 2>&1 &
	vgem=$!
	until_true vgem_shown
}

# --- pictures ------------------------------------------------------------------------

. "$(dirname "$0")/port.sh"
screen=$(port_of prime.screen 2> /dev/null) && exec 8<> "$screen"

photograph() {
	if [ "$driver" = virtio_gpu ]; then
		echo "$driver-$renderer-$case" >&8
		read -r answer <&8
		[ "$answer" = ok ]
	else
		(cd /tmp && timeout 60 weston-screenshooter && mv wayland-screenshot-*.png "$name.png")
	fi
}

# --- a case --------------------------------------------------------------------------

# Clients go when weston does, so they are looked at first.
judge() {
	gone=
	[ -z "$v4l2" ] || alive "$v4l2" || gone=v4l2
	[ -z "$vgem" ] || alive "$vgem" || gone=vgem
	if ! alive "$weston"; then outcome=crashed why="weston is gone"
	elif [ "$gone" = v4l2 ]; then outcome=failed why=$(tail -n 1 "$name-v4l2.log")
	elif [ "$gone" = vgem ]; then outcome=failed why=$(sed -n 's/^# //p' "$name-vgem.log")
	elif late; then outcome=hung why="no frames"
	elif photograph; then outcome=passed why=
	else outcome=failed why="no picture of the screen"
	fi
}

run() {
	case=$1
	name=$VM_SHARE/$driver-$renderer-$case
	log=$name.log
	v4l2='' vgem=''
	end=$(($(cut -d. -f1 /proc/uptime) + seconds))
	weston_begin
	case $case in
	weston-v4l2 | weston-two) v4l2_begin weston-simple-dmabuf-v4l -v /dev/video0 -f XR24 -d XR24 ;;
	weston-gstreamer) gstreamer_begin ;;
	esac
	case $case in weston-vgem | weston-two) vgem_begin ;; esac
	judge
	printf 'mesa\t%s\t%s\t%s\t%s\t%s\n' "$driver" "$renderer" "$case" "$outcome" "$why"
	"${0%/*}/mesa-named.sh" "$driver" "$renderer" "$case"
	# shellcheck disable=SC2086 # those that there are
	kill $vgem $v4l2 "$weston" 2> /dev/null
	wait
}

modprobe -a vgem vkms "$driver"
modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0x00
/lib/systemd/systemd-udevd --daemon > /dev/null 2>&1
udevadm trigger
udevadm settle
card=$("${0%/*}/mesa-card.sh" "$driver")
[ "$renderer" = virgl ] || export GALLIUM_DRIVER="$renderer"
export WAYLAND_DISPLAY=mesa

for case in "$@"; do
	run "$case"
done
udevadm control --exit
