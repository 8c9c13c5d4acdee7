-- +goose Up
-- Who is alive: each running instance says so every few seconds. Those of the
-- release before say nothing and are not shown.
create table instances (
    id text primary key,
    name text not null,
    role text not null,
    version text not null,
    started_at datetime not null,
    seen_at datetime not null
);
