#!/bin/sh
# As the real one: start, status, clean. A peer is a process that sleeps.
H=$PEERS_DIR/$2
case $1 in
  start)
    mkdir -p "$H"
    sleep 600 >/dev/null 2>&1 &
    echo $! > "$H/pid"
    [ "$2" = short-lived ] && kill $!
    echo "{\"name\":\"$2\",\"pid\":$!,\"version\":\"1.2.3\",\"ports\":{\"mqtt\":1}}" ;;
  status) [ -f "$H/pid" ] || { echo '{"running":false}'; exit 1; } ;;
  clean) [ -f "$H/pid" ] && kill "$(cat "$H/pid")" 2>/dev/null; rm -rf "$H" ;;
esac
