-- +goose Up
-- What administrators say of locations and communities. A community without a
-- name of its own is called by its slug; the release before names neither.
alter table locations add column description text not null default '';
alter table communities add column name text not null default '';
alter table communities add column description text not null default '';
