#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# weston with the GL renderer on vkms, which the CPU draws for, and a client that hands
# it the buffers of a V4L2 device. A line as tools/mesa/check reads it, the logs, and
# the picture that weston takes of its screen, in $VM_SHARE.

seconds=240
out=$VM_SHARE
log=$out/weston.log client_log=$out/weston-client.log

late() {
	[ "$(cut -d. -f1 /proc/uptime)" -gt "$end" ]
}

alive() {
	kill -0 "$1" 2> /dev/null
}

# A frame is over for a client when it may draw the next one.
frames() {
	grep -c 'wl_callback@.*done([^0]' "$client_log"
}

modprobe vkms
modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0x00
/lib/systemd/systemd-udevd --daemon > /dev/null 2>&1
udevadm trigger
udevadm settle
for path in /sys/class/drm/card?; do
	case $(readlink -f "$path/device") in */vkms*) card=${path##*/} ;; esac
done

cat > /tmp/weston.ini << END
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
export GALLIUM_DRIVER=softpipe WAYLAND_DISPLAY=mesa
end=$(($(cut -d. -f1 /proc/uptime) + seconds))
weston --backend=drm-backend.so --drm-device="$card" --config=/tmp/weston.ini --socket=$WAYLAND_DISPLAY --debug \
	> "$log" 2>&1 &
weston=$!
until grep -q "Loading module .*desktop-shell" "$log" || ! alive $weston || late; do :; done

WAYLAND_DEBUG=1 weston-simple-dmabuf-v4l -v /dev/video0 -f XR24 -d XR24 > "$client_log" 2>&1 &
client=$!
until [ "$(frames)" -ge 3 ] || ! alive $weston || ! alive $client || late; do :; done

if ! alive $weston; then outcome=crashed why="weston is gone"
elif ! alive $client; then outcome=failed why=$(tail -n 1 "$client_log")
elif [ "$(frames)" -lt 3 ]; then outcome=hung why="no frames"
else
	outcome=passed why=
	(cd "$out" && timeout 60 weston-screenshooter && mv wayland-screenshot-*.png weston.png) || {
		outcome=failed why="no picture of the screen"
	}
fi
printf 'mesa\tweston\tweston-v4l2\t%s\t%s\n' "$outcome" "$why"
kill $client $weston 2> /dev/null
wait $weston
udevadm control --exit
