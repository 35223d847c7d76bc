#!/usr/bin/env bash
# Fetches soundtracks of free games from Debian as albums for the blind check of the sonic model: each package is one album, by one
# hand or one circle of people. They are all the packages of Debian 12 with six files or more in folders of music or songs. At most
# TRACKS tracks of each that last at least 30 s, copied as they are and tagged with the package's name; with fewer than four it
# is no album. Needs apt, ffmpeg and some gigabytes below target/peers/albums.
set -euo pipefail
cd "$(dirname "$0")/../.."
TRACKS=${TRACKS:-8}
packages=${*:-amoebax-data berusky2-data colobot-common-sounds davegnukem-data drascula-music enigma-data extremetuxracer-data
  fillets-ng-data flare-game freecol freedroidrpg-data fretsonfire-songs-muldjord fretsonfire-songs-sectoid hedgewars-data
  hyperrogue-music lordsawar-data marsshooter-data megaglest-data naev-data planetblupi-music-ogg plee-the-bear-data redeclipse-data
  seahorse-adventures singularity-music starfighter-data supertux-data supertuxkart-data trackballs-data unknown-horizons
  warmux-data warzone2100-music wesnoth-1.16-music widelands-data wizznic-data}
to=target/peers/albums
mkdir -p "$to"
songs() { # files of music below a folder: not the sounds of doors and swords where music has a place of its own
  local all
  all=$(find "$1" -type f \( -name '*.ogg' -o -name '*.mp3' -o -name '*.flac' -o -name '*.opus' \) | sort)
  grep -iE '/[^/]*(music|song|soundtrack)[^/]*/' <<<"$all" || printf '%s\n' "$all"
}
for package in $packages; do
  [ -d "$to/$package" ] && continue
  work=$(mktemp -d "$to/.work.XXXXXX")
  if ! (cd "$work" && apt-get download -qq "$package" 2>/dev/null && dpkg-deb -x ./*.deb files); then
    echo "$package cannot be had here" >&2
    rm -rf "$work"
    continue
  fi
  mkdir "$work/album"
  count=0
  while IFS= read -r file; do
    [ "$count" -lt "$TRACKS" ] || break
    seconds=$(ffprobe -v error -show_entries format=duration -of csv=p=0 "$file" 2>/dev/null | cut -d. -f1 || true)
    [ "${seconds:-0}" -ge 30 ] 2>/dev/null || continue
    count=$((count + 1))
    ffmpeg -v error -nostdin -i "$file" -map 0:a:0 -c copy -map_metadata -1 -metadata "title=$(basename "${file%.*}")" \
      -metadata "artist=$package" -metadata "album_artist=$package" -metadata "album=$package" \
      "$work/album/$(printf %02d "$count").${file##*.}" || rm -f "$work/album/$(printf %02d "$count").${file##*.}"
  done < <(songs "$work/files")
  [ "$count" -ge 4 ] || rm -f "$work/album"/*
  mv "$work/album" "$to/$package"
  rm -rf "$work"
done
find "$to" -type f | wc -l
