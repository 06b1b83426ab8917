#!/bin/sh
# A bare host: what a freshly installed server offers to Ansible, and an ordinary user with sudo. Nothing else.
set -eux
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2154
if [ -s /recipe/ca.pem ]; then
    install -D -m 0644 /recipe/ca.pem /usr/local/share/ca-certificates/machine.crt
fi
apt-get update
apt-get install -y --no-install-recommends \
    ca-certificates dbus libpam-systemd openssh-server python3 sudo systemd systemd-sysv
apt-get clean
update-ca-certificates

useradd --create-home --shell /bin/bash admin
echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin
install -d -m 0700 -o admin -g admin /home/admin/.ssh
rm -f /etc/ssh/ssh_host_rsa_key* /etc/ssh/ssh_host_ecdsa_key*

# Downloads made by Node.js and pip go through the machine's certificate authorities and registries, if it has
# its own: sshd's PAM stack reads /etc/environment, and sudo keeps what is named here.
cat /recipe/environment >>/etc/environment
if [ -s /recipe/environment ]; then
    echo "Defaults env_keep += \"$(cut -d= -f1 /recipe/environment | tr '\n' ' ')\"" >/etc/sudoers.d/environment
fi
chmod 0440 /etc/sudoers.d/*
visudo -cq

# Of no use in a container, and slow to fail.
systemctl mask getty@.service console-getty.service systemd-logind.service apt-daily.timer apt-daily-upgrade.timer \
    e2scrub_all.timer fstrim.timer dpkg-db-backup.timer systemd-networkd.service systemd-resolved.service
