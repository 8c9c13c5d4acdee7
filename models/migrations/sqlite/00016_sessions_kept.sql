-- +goose Up
-- Until when a session keeps what it is to show once; null: it keeps nothing.
alter table sessions add column kept_until datetime;
create index sessions_kept on sessions (kept_until) where kept_until is not null;
