#!/bin/sh
# Baseline: the manual procedure, typed without a pause. Run as root on a bare host, with the source in /home/admin/source.
# Takes PORT, NPM_VERSION, PM2_VERSION and REGISTRY from the environment.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q install --yes --no-install-recommends ca-certificates curl git nginx nodejs python3-venv
mkdir /tmp/npm
curl -fsSL "$REGISTRY/npm/-/npm-$NPM_VERSION.tgz" | tar -xz -C /tmp/npm
node /tmp/npm/package/bin/npm-cli.js install --global "npm@$NPM_VERSION"
npm install --global "pm2@$PM2_VERSION"
id deploy >/dev/null 2>&1 || useradd --create-home --shell /bin/bash deploy
cp -r /home/admin/source /home/deploy/manual
chown -R deploy: /home/deploy/manual
cat >/home/deploy/build.sh <<EOF
set -eu
cd /home/deploy/manual
printf 'NEXT_PUBLIC_WS_URL=ws://manual.localhost:$PORT/ws\nCORS_ALLOWED_ORIGINS=http://manual.localhost:$PORT\n' >.env.staging
(cd backend && python3 -m venv .venv && .venv/bin/pip install --quiet -r requirements.txt)
(cd web-ui && npm ci && NEXT_PUBLIC_WS_URL=ws://manual.localhost:$PORT/ws npm run build)
(cd backend && pm2 start .venv/bin/python --name=manual-backend --interpreter=none -- -m uvicorn app.main:app --port=14200)
(cd web-ui && pm2 start node_modules/next/dist/bin/next --name=manual-frontend -- start --port=14100)
pm2 save
EOF
runuser -l deploy -c 'sh /home/deploy/build.sh'
env PATH="$PATH" pm2 startup systemd -u deploy --hp /home/deploy
cat >/etc/nginx/sites-enabled/manual <<EOF
server {
    listen $PORT;
    server_name manual.localhost;
    location / { proxy_pass http://127.0.0.1:14100; }
    location /ws {
        proxy_pass http://127.0.0.1:14200;
        proxy_http_version 1.1;
        proxy_set_header Host \$host;
        proxy_set_header Upgrade \$http_upgrade;
        proxy_set_header Connection "upgrade";
        proxy_read_timeout 3600s;
    }
}
EOF
nginx -t
systemctl restart nginx
for _ in $(seq 60); do curl -fsS -o /dev/null -H 'Host: manual.localhost' "http://127.0.0.1:$PORT/" && break || sleep 1; done
curl -s -i -N --max-time 2 -H 'Host: manual.localhost' -H "Origin: http://manual.localhost:$PORT" -H 'Connection: Upgrade' \
  -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' \
  "http://127.0.0.1:$PORT/ws" | grep -q '101 Switching Protocols'
