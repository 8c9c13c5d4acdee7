-- +goose Up
-- A webhook's hours lie side by side, since the list reads a day of each of its
-- webhooks: without a rowid the primary key is where the rows are.
create table webhook_hours_together (
    webhook_id integer not null,
    hour datetime not null,
    delivered integer not null,
    failed integer not null,
    ms_sum integer not null,
    ms_max integer not null,
    primary key (webhook_id, hour)
) without rowid;
insert into webhook_hours_together (webhook_id, hour, delivered, failed, ms_sum, ms_max)
    select webhook_id, hour, delivered, failed, ms_sum, ms_max from webhook_hours order by webhook_id, hour;
drop table webhook_hours;
alter table webhook_hours_together rename to webhook_hours;
create index webhook_hours_hour on webhook_hours (hour);
