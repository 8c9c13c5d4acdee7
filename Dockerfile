# The image holds one static binary and what it reads from a system: root
# certificates, a folder for its data and one for temporary files.
# .ci/check-image follows these steps without a container engine; it knows the
# instructions used here, and RUN has to keep to relative paths.

FROM golang:1.26 AS build
WORKDIR /src
# The version and the commit, as make image gives them. Without them the version
# comes from the repository, and the image has no label of it.
ARG VERSION
ARG REVISION
ENV GOFLAGS=-buildvcs=false
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN deploy/build image/sitehooks
RUN cp LICENSE image/ && mkdir -p -m 1777 image/tmp && mkdir -p state/data

FROM scratch
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="Sitehooks"
LABEL org.opencontainers.image.description="Admin console and dispatcher for a site's webhooks"
LABEL org.opencontainers.image.licenses="MIT"
LABEL org.opencontainers.image.source="https://github.com/sitehooks/sitehooks"
LABEL org.opencontainers.image.documentation="https://github.com/sitehooks/sitehooks/blob/main/README.md"
LABEL org.opencontainers.image.version="$VERSION"
LABEL org.opencontainers.image.revision="$REVISION"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/image/ /
COPY --from=build --chown=65532:65532 /src/state/ /
ENV SITEHOOKS_ADDR=0.0.0.0:8080
ENV SITEHOOKS_DATA_DIR=/data
USER 65532:65532
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/sitehooks", "healthcheck"]
ENTRYPOINT ["/sitehooks"]
CMD ["serve"]
