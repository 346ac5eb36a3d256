# syntax=docker/dockerfile:1

# The build needs the development packages (TypeScript); the image gets the compiled program and what it runs on. No
# package needs its install script here: the one that has one would bring a second Node.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# The image's user "node", as a number: Kubernetes' runAsNonRoot does not look names up. Everything under /app belongs to
# root, and nothing is written: the root file system may be read-only.
USER 1000:1000
# Clients, and the admin port with /metrics, /healthz and /readyz. In a container `listen: :8000` and `admin: :8001`
# are needed; the defaults are reachable from the container itself only.
EXPOSE 8000 8001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(process.env.HEALTH_URL ?? 'http://127.0.0.1:8001/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=8", "--disable-sigusr1", "dist/launch.js"]
CMD ["serve", "--config", "/etc/sealgate/sealgate.yaml"]
