#!/bin/sh
# Writes the secrets that docker-compose.yml mounts into deploy/secrets (or the folder given). A file that exists is
# left alone: a replaced root key makes every object unreadable.
set -eu
umask 077
folder="${1:-$(dirname "$0")/secrets}"
mkdir -p "$folder"

write() { # NAME, content on standard input
  if [ -e "$folder/$1" ]; then
    cat >/dev/null
    echo "kept    $folder/$1"
  else
    cat >"$folder/$1.new"
    mv "$folder/$1.new" "$folder/$1"
    echo "written $folder/$1"
  fi
}

random_hex() { head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

head -c 32 /dev/urandom | base64 | write root_key
random_hex | write redis_password
printf 'sealgate' | write store_user
random_hex | write store_password

# Made by root, they would be closed to the gateway, which runs as this user (docker-compose.yml, SEALGATE_USER).
if [ "$(id -u)" = 0 ]; then
  chown "${SEALGATE_USER:-1000:1000}" "$folder"/*
fi

echo
echo "Keep a copy of $folder/root_key in another place: without it nobody reads the objects again."
