#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The programs that people run on a virtio GPU, and what came of them: facts, as
# tools/parity/table.py reads them, and pictures of the screen.
#
#   virtio.sh SUBJECT GL PARITY   SUBJECT: 2d, or virgl on a GPU that renders
#
# GL is the program of tools/virtio, PARITY that of tools/parity. A picture NAME.ppm in $VM_SHARE is told as the
# fact NAME of the group pictures; who runs this compares it with the other kernel's.

subject=$1 gl=$2 parity=$3
out=$VM_SHARE/programs
mkdir -p "$out"
card=/dev/dri/card0

fact() { # GROUP NAME WHAT RESULT
	printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$subject" "$2" "$3" "$4"
}

# --- a program that stays until it is told to go -------------------------------------

# A signal would end it as well, but then it would not tidy up.
go=/tmp/go
mkfifo $go
exec 7<> $go

begin() { # LOG COMMAND ...
	log=$out/$1
	shift
	"$@" < $go > "$log" 2>&1 &
	child=$!
}

end() { # -> status of the program
	echo >&7
	wait "$child"
}

# until the program has come to where it reads from its standard input
reads() {
	until grep -q '^0 0x0 ' "/proc/$child/syscall"; do
		kill -0 "$child" 2> /dev/null || return 1
	done 2> /dev/null
}

# until a line like this is in its output
says() {
	until grep -q "$1" "$log"; do
		kill -0 "$child" 2> /dev/null || return 1
	done
}

# --- pictures ---------------------------------------------------------------------------

. "$(dirname "$0")/port.sh"
exec 8<> "$(port_of prime.screen)"

# What a window shows is there a moment after the program has shown it, hence the +.
shows() { # NAME WHAT
	echo "+$subject-$1" >&8
	read -r answer <&8
	[ "$answer" = ok ] || echo "# no picture $1: $answer" >&2
	fact pictures "$1" "$2" "$subject-$1.ppm"
}

# --- the programs -----------------------------------------------------------------------

listed() { # NAME WHAT PROGRAM OF AWK
	fact modetest "$1" "$2" "$(modetest -M virtio_gpu | awk "$3" | sort | uniq -c | awk '{
		n = $1; $1 = ""; printf "%s%s%s", sep, substr($0, 2), (n > 1 ? " x" n : ""); sep = ", " }')"
}

# numbers of a connector, its CRTC, the primary plane; the modes of all tests
ids() {
	connector=$(modetest -M virtio_gpu -c | awk '$3 == "connected" { print $1; exit }')
	crtc=$(modetest -M virtio_gpu -p | awk '/^CRTCs/ { on = 1 } on && $1 ~ /^[0-9]+$/ { print $1; exit }')
	plane=$(modetest -M virtio_gpu -p | awk '/^Planes/ { on = 1 } on && $1 ~ /^[0-9]+$/ { print $1; exit }')
}

modetests() {
	listed connectors "connectors" '$3 ~ /connected/ && $1 ~ /^[0-9]+$/ { print $4, $3 }'
	listed modes "modes of the first connector" '$1 ~ /^#/ && $2 ~ /^[0-9]+x/ { print $2 "@" $3 }'
	listed formats "formats of planes" '$1 == "formats:" { $1 = ""; print substr($0, 2) }'
	listed properties "properties of all objects" '/^\t[0-9]+ [A-Za-z_ -]+:$/ { sub(/^\t[0-9]+ /, ""); sub(/:/, ""); print }'

	ids
	for mode in 640x480 1024x768 1280x800; do
		begin "modetest-$mode" modetest -M virtio_gpu -s "$connector@$crtc:$mode"
		reads && shows "modetest-$mode" "modetest -s $mode"
		end
		fact modetest "set-$mode" "exit of modetest -s $mode" $?
	done

	begin modetest-flips modetest -M virtio_gpu -v -s "$connector@$crtc:1024x768"
	if says freq; then flips="60 of 60"; else flips="not 60"; fi
	end
	fact modetest flips "page flips and their events, modetest -v" "$flips, exit $?"

	begin modetest-cursor modetest -M virtio_gpu -C -s "$connector@$crtc:1024x768"
	reads
	end
	fact modetest cursor "exit of modetest -C, which moves a cursor" $?

	begin modetest-atomic modetest -M virtio_gpu -a -s "$connector@$crtc:1024x768" \
		-P "$plane@$crtc:1024x768@XR24"
	reads && shows "modetest-atomic" "modetest -a"
	end
	fact modetest atomic "exit of modetest -a, one atomic commit" $?
}

kmscubes() {
	for mode in "" -A; do
		begin "kmscube$mode" kmscube -D $card -c 6 $mode
		wait "$child"
		code=$?
		fact kmscube "frames$mode" "kmscube${mode:+ $mode} -c 6" \
			"$(sed -n 's/^Rendered \([0-9]*\) frames.*/\1 frames, /p' "$log" | tail -n 1)exit $code"
	done
	fact kmscube renderer "who renders" "$(sed -n 's/^  renderer: "\([A-Za-z]*\).*/\1/p' "$out/kmscube")"
}

gls() {
	begin gl "$gl" "$subject" $card show
	reads && shows "gl" "a buffer that OpenGL ES 2 has drawn in"
	end
	fact gl exit "exit of the program" $?
	cat "$out/gl"
}

# Files for people, with a number for each number, and what the module says of itself.
interface() {
	for file in /sys/kernel/debug/dri/0/virtio-gpu*; do
		fact interface "debugfs-${file##*/}" "text of ${file##*/} in debugfs" \
			"$(sed 's/  */ /g; s/[0-9][0-9]*/N/g' "$file" | paste -sd '|')"
	done
	for what in alias parm softdep; do
		fact interface "module-$what" "modinfo -F $what" "$(modinfo -b "${MODPROBE_OPTIONS#-d }" -F $what virtio_gpu | paste -sd '|')"
	done
	for file in /sys/module/virtio_gpu/parameters/*; do
		fact interface "parameter-${file##*/}" "mode and value of a parameter" \
			"$(stat -c %a "$file") $(cat "$file")"
	done
	fact interface bus "driver of the virtio device" \
		"$(readlink /sys/class/drm/card0/device/driver | sed 's/.*\///')"
}

ioctls() {
	"$parity" virtgpu | while IFS='	' read -r _ _ name what result; do
		fact ioctls "$name" "$what" "$result"
	done
}

# A compositor, and its shell for a client, which draws what lies behind windows: no
# clock, no pointer, no panel, nothing that moves.
westons() {
	for renderer in pixman gl; do
		# another picture than the one before, so that it is known for new
		if [ $renderer = gl ]; then
			option='' image=tiling.png type=tile
		else
			option=--use-pixman image=background.png type=scale
		fi
		cat > "$out/weston.ini" <<-END
			[core]
			require-input=false
			idle-time=0
			[shell]
			background-image=/usr/share/weston/$image
			background-type=$type
			panel-position=none
			locking=false
			animation=none
			startup-animation=none
		END
		log=$out/weston-$renderer
		weston --backend=drm-backend.so $option --config="$out/weston.ini" \
			--socket=wayland-$renderer > "$log" 2>&1 &
		child=$!
		shows "weston-$renderer" "weston and what its shell draws, $renderer renderer"
		kill $child
		wait $child
		fact weston $renderer "exit of weston, $renderer renderer" $?
		fact weston "renderer-$renderer" "what it says it renders with" \
			"$(sed -n 's/.*GL renderer: \([A-Za-z]*\).*/\1/p; s/.*uses \(shadow framebuffer\).*/\1/p' "$log")"
	done
}

# A client of its own, alone on the screen. The shell gives it to whom a seat activates,
# so without a keyboard nobody would have it.
weston_clients() {
	cat > "$out/weston.ini" <<-END
		[core]
		shell=kiosk-shell.so
		idle-time=0
	END
	for renderer in pixman gl; do
		if [ $renderer = gl ]; then
			option='' image=tiling.png
		else
			option=--use-pixman image=background.png
		fi
		log=$out/weston-client-$renderer
		weston --backend=drm-backend.so $option --config="$out/weston.ini" \
			--socket=wayland-client-$renderer > "$log" 2>&1 &
		child=$!
		says "Loading module .*kiosk-shell"
		WAYLAND_DISPLAY=wayland-client-$renderer weston-image /usr/share/weston/$image \
			> "$log-itself" 2>&1 &
		client=$!
		shows "weston-client-$renderer" "weston-image on weston with kiosk-shell, $renderer renderer"
		kill $client $child
		wait $child
		fact weston "client-$renderer" "exit of weston with a client, $renderer renderer" $?
		wait $client
	done
}

modprobe virtio_gpu
/lib/systemd/systemd-udevd --daemon > /dev/null 2>&1
udevadm trigger
udevadm settle
# what Mesa would choose draws wrong colours on an emulated CPU
[ "$subject" = virgl ] || export GALLIUM_DRIVER=softpipe

ioctls
interface
modetests
kmscubes
gls
westons
weston_clients
# nothing of all that has stayed behind
udevadm control --exit
if modprobe -r virtio_gpu; then fact module unload "modprobe -r in the end" 0
else fact module unload "modprobe -r in the end" "$(lsmod | awk '$1 == "virtio_gpu" { print "used", $3 }')"; fi
