-- +goose Up
-- Tells apart events of two systems whose types have the same name. By itself,
-- since a lock on events that came after others would be one too many.
alter table events add column family text not null default '';
