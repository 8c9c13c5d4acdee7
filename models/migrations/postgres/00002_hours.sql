-- +goose Up
-- How a webhook fared in each hour, written with the outcomes.
create table webhook_hours (
    webhook_id bigint not null,
    hour timestamptz not null,
    delivered bigint not null,
    failed bigint not null,
    ms_sum bigint not null,
    ms_max bigint not null,
    primary key (webhook_id, hour)
);
create index webhook_hours_hour on webhook_hours (hour);
