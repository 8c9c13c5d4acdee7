-- +goose Up
-- The request of an attempt was sent a second time, on a new connection.
alter table attempts add column reconnected boolean not null default false;
