#!/usr/bin/env bash
# Makes sure that the named programs are there: installs their Debian packages where apt and the rights are there, otherwise says in one
# line what will be left out. With CI=true a missing program is a failure.
#
#   test/tools.sh baresip linphonec sipp node gcc libopus
set -u
PATH=$PATH:/usr/sbin # where Debian has kamailio
declare -A package=([baresip]=baresip-core [linphonec]=linphone-cli [sipp]=sip-tester [node]=nodejs [gcc]=gcc [libopus]=libopus0 [kamailio]=kamailio [chromium]=chromium [ip]=iproute2)
missing=() wanted=()
# there PROGRAM: is it there? A library is looked for where the loader finds it.
there() {
  case "$1" in lib*) /sbin/ldconfig -p 2>/dev/null | grep -q "$1\.so" ;; *) command -v "$1" >/dev/null ;; esac
}
for program in "$@"; do
  there "$program" || { missing+=("$program"); wanted+=("${package[$program]}"); }
  # Speech for the calls, and the tools that make it.
  [ "$program" = baresip ] && ! command -v sox >/dev/null && { missing+=(sox); wanted+=(sox); }
  [ "$program" = baresip ] && ! command -v espeak-ng >/dev/null && { missing+=(espeak-ng); wanted+=(espeak-ng); }
  [ "$program" = node ] && ! command -v npm >/dev/null && { missing+=(npm); wanted+=(npm); }
  [ "$program" = gcc ] && [ ! -e /usr/include/stdlib.h ] && { missing+=(libc6-dev); wanted+=(libc6-dev); }
done
[ ${#missing[@]} -eq 0 ] && exit 0
sudo=()
if [ "$(id -u)" != 0 ]; then sudo=(sudo -n); fi
if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
  echo "installing ${wanted[*]}"
  "${sudo[@]}" apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -qq -y --no-install-recommends "${wanted[@]}" >/dev/null && {
    # Only the tests start it: as a service it would hold port 5060.
    case " ${wanted[*]} " in *" kamailio "*) command -v systemctl >/dev/null && "${sudo[@]}" systemctl disable --now kamailio >/dev/null 2>&1 ;; esac
    exit 0
  }
fi
echo "left out, because they are not installed and cannot be installed from here: ${missing[*]}"
[ "${CI:-}" = true ] && exit 1
exit 0
