-- +goose Up
-- Until when a one-time password is good; null: the password is the member's
-- own.
alter table users add column one_time_until timestamptz;
-- Whether the member who made a token was removed since.
alter table tokens add column maker_removed boolean not null default false;
