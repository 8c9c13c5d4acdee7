-- +goose Up
-- Where each instance listens, since none of them is a target.
alter table instances add column addresses text not null default '';
