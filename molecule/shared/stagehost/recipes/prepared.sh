#!/bin/sh
# A bare host on which everything that a deployment would download first is there already.
set -eux
export DEBIAN_FRONTEND=noninteractive
set -a
# shellcheck source=/dev/null
. /etc/environment
set +a
apt-get update
apt-get install -y --no-install-recommends \
    acl curl git haproxy iproute2 nginx nodejs openssl procps python3-venv python3-websockets rsync
# Tests start it with configurations of their own.
systemctl disable haproxy
apt-get clean

# Debian's npm is large and old; the registry's package needs Node.js alone.
node=/usr/local/lib/node_modules
curl -fsS --retry 3 -o /tmp/npm.tgz "$NPM_URL"
[ "sha512-$(openssl dgst -sha512 -binary /tmp/npm.tgz | openssl base64 -A)" = "$NPM_INTEGRITY" ]
mkdir -p "$node/npm"
tar -xzf /tmp/npm.tgz -C "$node/npm" --strip-components=1 --no-same-owner
rm /tmp/npm.tgz
ln -s "../lib/node_modules/npm/bin/npm-cli.js" /usr/local/bin/npm
ln -s "../lib/node_modules/npm/bin/npx-cli.js" /usr/local/bin/npx
npm install --global --prefix /usr/local --no-fund --no-audit --loglevel=error "pm2@$PM2_VERSION"

# For the tests that run inside the container, as root.
python3 -m venv --system-site-packages /opt/tests
/opt/tests/bin/pip install --quiet --no-cache-dir --disable-pip-version-check -r /recipe/requirements-integration.txt
npm install --prefix /opt/tests/node --no-fund --no-audit --loglevel=error $NODE_PACKAGES
rm -rf /root/.npm

node --version
npm --version
node -p 'require("/usr/local/lib/node_modules/pm2/package.json").version'
