# The broker in a container; docs/operations.md has how it is run.
#   docker build --tag ternmq .
#   docker run --publish 127.0.0.1:8161:8161 --publish 8883:8883 --volume ternmq:/var/lib/ternmq ternmq
ARG NODE_IMAGE=node:24-bookworm-slim

# The package, from the sources.
FROM ${NODE_IMAGE} AS build
WORKDIR /source
COPY . .
RUN npm run -s package -- /package

# The package and what it depends on.
FROM ${NODE_IMAGE} AS install
COPY --from=build /package /package
WORKDIR /opt/ternmq
RUN npm install --omit=dev --ignore-scripts --no-audit --no-fund /package/*.tgz

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="TernMQ" \
      org.opencontainers.image.description="Message broker for MQTT, AMQP 1.0 and STOMP, with an admin API and a web console" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 ternmq \
 && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/ternmq --shell /usr/sbin/nologin ternmq \
 && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/ternmq \
 && ln --symbolic /opt/ternmq/node_modules/.bin/ternmq /usr/local/bin/ternmq
COPY --from=install /opt/ternmq /opt/ternmq
COPY examples/production/container.yaml /etc/ternmq/ternmq.yaml
# Commands in the container (`docker exec … ternmq status`) find the broker by its data directory. New objects have half the room that
# Node has for them: less memory under load, and no more time for a message.
ENV TERNMQ_DATA_DIR=/var/lib/ternmq NODE_OPTIONS=--max-semi-space-size=16
# By number, so that whoever runs it can see that it is not root.
USER 10001:10001
WORKDIR /var/lib/ternmq
VOLUME /var/lib/ternmq
EXPOSE 1883 8883 61613 61614 5672 5671 8083 8084 8161
# Over the socket in the data directory, which is there whatever the ports and addresses of the configuration are.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "require('node:http').get({ socketPath: process.env.TERNMQ_DATA_DIR + '/admin.sock', path: '/health/ready' }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
ENTRYPOINT ["ternmq"]
CMD ["start", "--config", "/etc/ternmq/ternmq.yaml"]
