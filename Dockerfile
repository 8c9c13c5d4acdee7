# The image holds one static binary and what it reads from a system: root
# certificates, a folder for its data and one for temporary files.
# .ci/check-image follows these steps without a container engine; it knows the
# instructions used here, and RUN has to keep to relative paths.

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o image/sitehooks .
RUN cp LICENSE image/ && mkdir -p -m 1777 image/tmp && mkdir -p state/data

FROM scratch
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
