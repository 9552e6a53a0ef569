#!/bin/sh
# Installs or upgrades inspect-agent from this checkout, as root:
#
#   /opt/inspect-agent                 a virtual environment of its own; ready rules in rules/
#   /usr/local/bin                     inspect-agent, inspectctl
#   /etc/inspect-agent                 the configuration; files that are there are left alone
#   the user inspect                   as whom alerts are sent
#   /etc/systemd/system or /etc/init   the service, which is started
#
# An upgrade restarts the agent and nothing that it watches.
set -eu
umask 022  # the user inspect must be able to read the program

here=$(cd "$(dirname "$0")" && pwd)
opt=/opt/inspect-agent
bin=/usr/local/bin
etc=/etc/inspect-agent
python=${PYTHON:-python3}

say() { echo "install.sh: $*"; }
die() { say "$*" >&2; exit 1; }

check_tools() {
    [ "$(id -u)" = 0 ] || die "only root can install; try: sudo $0"
    command -v "$python" >/dev/null ||
        die "$python is missing: apt-get install python3 python3-venv"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        die "Python 3.10 or newer is needed; name one: PYTHON=python3.11 $0"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        die "python3-venv is missing: apt-get install python3-venv"
}

add_user() {
    getent passwd inspect >/dev/null && return
    useradd --system --user-group --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin inspect
    say "added the user inspect"
}

install_program() {
    [ -x $opt/bin/python ] || "$python" -m venv $opt
    # pip compiles to .pyc here, once; without that every start would cost time and memory
    $opt/bin/python -m pip install --quiet --disable-pip-version-check --compile \
        --upgrade "$here/.."
    install -d $bin
    cp -r "$here/../rules" $opt
    ln -sf $opt/bin/inspect-agent $opt/bin/inspectctl $bin
    say "installed $($bin/inspect-agent -v)"
}

install_configuration() {
    install -d -m 0755 $etc $etc/services.d
    [ -e $etc/inspeqtor.conf ] || keep 0600 "$here/etc/inspect.conf" $etc/inspect.conf
    keep 0644 "$here/../rules/host.inq" $etc/host.inq
    keep 0644 "$here/etc/services.d/README" $etc/services.d/README
}

keep() {
    [ -e "$3" ] || install -m "$1" "$2" "$3"
}

install_service() {
    if [ -d /run/systemd/system ]; then
        place systemd/inspect-agent.service /etc/systemd/system/inspect-agent.service
        systemctl daemon-reload
        systemctl --quiet enable inspect-agent
        systemctl restart inspect-agent
    elif initctl version 2>/dev/null | grep -q upstart; then
        place upstart/inspect-agent.conf /etc/init/inspect-agent.conf
        initctl reload-configuration
        initctl restart inspect-agent || initctl start inspect-agent
    else
        say "neither systemd nor Upstart runs here: have your supervisor run $bin/inspect-agent"
        return
    fi
    say "the agent runs; \`inspectctl status\` shows what it sees"
}

place() {
    sed "s|/usr/bin/inspect-agent|$bin/inspect-agent|" "$here/$1" >"$2"
}

check_tools
add_user
install_program
install_configuration
install_service
