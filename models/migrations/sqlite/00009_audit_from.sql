-- +goose Up
-- From where somebody changed something; the release before does not say.
alter table audit_entries add column from_addr text not null default '';
