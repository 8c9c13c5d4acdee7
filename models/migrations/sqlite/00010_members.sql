-- +goose Up
-- Since when a member may not log in; null: they may. The release before does
-- not look at it, and nobody it logs in gets past an instance of this one.
alter table users add column disabled_at datetime;
