#!/usr/bin/env bash
# Packs what the e2e tests run in pods: images.sh FOLDER NODE PROGRAMS VENV, where NODE is what build.sh made, and PROGRAMS
# the folder of our own binaries. Each image is localhost/NAME:e2e.
set -euo pipefail
folder=$1
node=$2
programs=$3
venv=$4
here=$(dirname "$0")
mkdir -p "$folder"

pack() {
  local name=$1
  shift
  "$here/image.py" "$folder/$name.tar" "localhost/$name:e2e" "$@"
}

links=()
for applet in sh cat echo env grep head id kill ls nc ps sleep tr true wget; do
  links+=(--link "/bin/$applet=busybox")
done
pack pause --program "$node/bin/pause" --user 65535
pack busybox --file "/bin/busybox=$(find -L "$node" -path '*bin/busybox')" --command /bin/sh "${links[@]}"
for program in pilotfish pilotfish-operator pilotfish-sidecar pilotfish-provider; do
  pack "$program" --alone --program "$programs/$program"
done
# The official SDKs, as an application's image has them.
"$venv/bin/python" "$here/image.py" "$folder/python.tar" localhost/python:e2e --python
