-- +goose Up
-- The member who made a token owns what is made with it.
alter table tokens add column created_by_id bigint not null default 0;
