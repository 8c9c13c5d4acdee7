-- +goose Up
-- Wrong passwords, by account, by address group and by browser. Those counted
-- before are forgotten.
drop table login_failures;
create table login_failures (
    id integer primary key autoincrement,
    account text not null,
    address_group text not null,
    device text not null,
    at datetime not null
);
create index login_failures_account on login_failures (account, at);
create index login_failures_group on login_failures (address_group, at);
create index login_failures_device on login_failures (device, at) where device <> '';
create index login_failures_at on login_failures (at);
create index audit_entries_refused on audit_entries (at) where action = 'login.refused';
