-- +goose Up
-- one_time_until: until when a one-time password is good; null: the password is
-- the member's own. disabled_at: since when the member may not log in. limited:
-- the member sees only these locations.
create table users (
    id integer primary key autoincrement,
    email text not null unique,
    name text not null,
    password_hash text not null,
    role text not null,
    must_change_password boolean not null,
    one_time_until datetime,
    disabled_at datetime,
    no_mail boolean not null default false,
    created_at datetime not null,
    limited boolean not null default false,
    locations text not null default '[]'
);

-- Wrong passwords, by account, by address group and by browser.
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

create table sessions (
    key text primary key,
    user_id integer not null,
    data blob not null,
    created_at datetime not null,
    seen_at datetime not null,
    value_until datetime
);
create index sessions_user on sessions (user_id);
create index sessions_seen on sessions (seen_at);
create index sessions_value on sessions (value_until) where value_until is not null;

create table tokens (
    id integer primary key autoincrement,
    name text not null,
    scope text not null,
    location text not null,
    hash text not null unique,
    created_by text not null,
    created_by_id integer not null default 0,
    maker_removed boolean not null default false,
    created_at datetime not null,
    last_used_at datetime,
    revoked_at datetime
);

-- Only administrators change main_site: it is false for the location main, too.
-- Hidden locations, communities and tags are not offered in forms.
create table locations (
    slug text primary key,
    name text not null,
    description text not null default '',
    main_site boolean not null default false,
    hidden boolean not null default false,
    created_at datetime not null
);

-- A community without a name of its own is called by its slug.
create table communities (
    location text not null,
    slug text not null,
    name text not null default '',
    description text not null default '',
    hidden boolean not null default false,
    created_at datetime not null,
    primary key (location, slug)
);

create table tags (
    location text not null,
    name text not null,
    hidden boolean not null default false,
    primary key (location, name)
);

create table settings (
    name text primary key,
    value text not null
);

create table setting_changes (
    id integer primary key autoincrement,
    name text not null,
    old_value text not null,
    new_value text not null,
    reason text not null,
    by_id integer not null,
    by_name text not null,
    at datetime not null
);
create index setting_changes_name on setting_changes (name, id);

-- location: the one that the action concerns; empty: several, or none.
create table audit_entries (
    id integer primary key autoincrement,
    at datetime not null,
    by_id integer not null,
    by_name text not null,
    action text not null,
    target text not null,
    detail text not null,
    from_addr text not null default '',
    location text not null default ''
);
create index audit_entries_refused on audit_entries (at) where action = 'login.refused';

-- One row: proof of the sealing key, when SITEHOOKS_INGEST_TOKEN was used, and the
-- name of this installation in Sitehooks-Via.
create table installations (
    id integer primary key,
    key_check text not null,
    public_id text not null,
    created_at datetime not null,
    ingest_token_used_at datetime
);

-- One row: when dispatch runs next, and the location whose turn was last. The
-- instance that dispatches locks it.
create table dispatch_runs (
    id integer primary key,
    next_at datetime not null,
    last_at datetime,
    last_location text not null default '',
    runs integer not null default 0
);

-- One row: the version of all webhooks' filters, for the match index.
create table match_versions (
    id integer primary key,
    version integer not null
);

create table webhooks (
    id integer primary key autoincrement,
    type text not null,
    name text not null,
    location text not null,
    events text not null,
    tag_mode text not null,
    tags text not null,
    community text not null,
    url text not null,
    url_shown text not null,
    secret_1 text not null,
    secret_1_set_at datetime,
    secret_1_used_at datetime,
    secret_2 text not null,
    secret_2_set_at datetime,
    secret_2_used_at datetime,
    headers text not null,
    options text not null,
    state text not null,
    state_reason text not null,
    state_at datetime,
    state_by text not null,
    owner_id integer not null,
    owner_name text not null,
    created_at datetime not null,
    after_event integer not null default 0,
    updated_at datetime not null,
    updated_by text not null,
    deleted_at datetime,
    key text not null default ''
);
create unique index webhooks_key on webhooks (key) where key <> '' and deleted_at is null;
create index webhooks_location on webhooks (location, id);
create index webhooks_created on webhooks (created_at, id) where deleted_at is null;
-- Every page asks which webhooks do not send; they are few.
create index webhooks_troubled on webhooks (state, state_at, id) where state <> 'active' and deleted_at is null;
-- The list's sorts, filters and counts. deleted_at stands in them so that they
-- answer alone: SQLite looks at it also where the index says what it is.
create index webhooks_type on webhooks (type, id, deleted_at) where deleted_at is null;
create index webhooks_owner on webhooks (owner_id, owner_name, deleted_at) where deleted_at is null;

create table webhook_versions (
    id integer primary key autoincrement,
    webhook_id integer not null,
    version integer not null,
    at datetime not null,
    by text not null,
    type text not null,
    name text not null,
    location text not null,
    events text not null,
    tag_mode text not null,
    tags text not null,
    community text not null,
    state text not null,
    reason text not null,
    deleted boolean not null,
    changes text not null default ''
);
create index webhook_versions_webhook on webhook_versions (webhook_id, version);
create index webhook_versions_location on webhook_versions (location, webhook_id, version);

-- An event's row, with its payload and its indexes, is written once. family tells
-- apart types of two systems with the same name. source: see sources; empty: a
-- token's. via: the installations that it came through, oldest first.
create table events (
    id integer primary key autoincrement,
    event_id text not null,
    type text not null,
    family text not null default '',
    location text not null,
    community text not null,
    tags text not null,
    merge_key text not null,
    subject text not null,
    title text not null,
    source text not null default '',
    via text not null default '',
    occurred_at datetime not null,
    received_at datetime not null,
    payload blob not null
);
create unique index events_event_id on events (event_id, location);
create index events_location on events (location, received_at);

-- An event waits for dispatch while it has a row here.
create table pending_events (
    location text not null,
    received_at datetime not null,
    event_id integer not null,
    merge_key text not null,
    primary key (location, received_at, event_id)
) without rowid;
create index pending_events_merge_key on pending_events (merge_key) where merge_key <> '';

-- One row for each transaction that dispatched events: when, by which version of
-- the webhooks' filters, and whether trigger history was on. With sent_by its
-- deliveries were sent by hand, by that member, as a part of the manual send send_id.
create table dispatches (
    id integer primary key autoincrement,
    at datetime not null,
    match_version integer not null,
    logged boolean not null,
    sent_by text not null default '',
    send_id integer not null default 0
);

-- Events whose dispatch is not told by a delivery: merged into another, matched
-- by no webhook, sent with others while trigger history was off, or sent by hand
-- since.
create table dispatched_events (
    event_id integer primary key,
    dispatch_id integer not null,
    merged_into integer
);
create index dispatched_events_merged_into on dispatched_events (merged_into) where merged_into is not null;
create index dispatched_events_dispatch on dispatched_events (dispatch_id);

-- Deliveries that a dispatch decided upon and has not stored yet: of all events
-- of a row to all its webhooks. body_id is their body, if it is stored.
create table dispatch_rest (
    id integer primary key autoincrement,
    dispatch_id integer not null,
    location text not null,
    event_ids text not null,
    webhook_ids text not null,
    body_id integer not null,
    tries integer not null,
    reason text not null,
    set_aside_at datetime
);

-- What the bodies of several deliveries have in common.
create table bodies (
    id integer primary key autoincrement,
    body blob not null
);

-- A delivery's row is written once, but for content that is erased. event_id is
-- the only event inside; null: there are several, in triggers. body is all of its
-- body or, with a body_id, the parts of its own. With payload_bytes a NUL byte in
-- it stands for so much of its event's payload, from payload_at on. via is that
-- of its events.
create table deliveries (
    id integer primary key autoincrement,
    public_id text not null unique,
    webhook_id integer not null,
    location text not null,
    event_id integer,
    dispatch_id integer not null default 0,
    event_types text not null,
    via text not null default '',
    items integer not null,
    created_at datetime not null,
    body blob not null,
    body_id integer,
    payload_at integer not null default 0,
    payload_bytes integer not null default 0
);
create index deliveries_event on deliveries (event_id) where event_id is not null;
create index deliveries_body on deliveries (body_id) where body_id is not null;
create index deliveries_webhook on deliveries (webhook_id, id);
create index deliveries_location on deliveries (location, id);

-- A delivery waits to be sent while it has a row here. With resend the next
-- attempt was asked for by hand; scheduled_at is then when the schedule goes on
-- if it fails, or null for a delivery that had ended.
create table delivery_queue (
    delivery_id integer primary key,
    webhook_id integer not null,
    due_at datetime not null,
    round integer not null,
    tries integer not null,
    resend boolean not null,
    scheduled_at datetime,
    paced boolean not null,
    subject integer not null,
    bytes integer not null
);
create index delivery_queue_due on delivery_queue (webhook_id, paced, due_at, delivery_id);
create index delivery_queue_retrying on delivery_queue (webhook_id, due_at, delivery_id) where round > 0;
create index delivery_queue_subject on delivery_queue (webhook_id, subject) where paced;
create index delivery_queue_resend on delivery_queue (due_at, webhook_id) where resend;

-- Deliveries that failed or were dropped. One without a row here and none of
-- the schedule in delivery_queue was delivered.
create table delivery_ends (
    delivery_id integer primary key,
    webhook_id integer not null,
    state text not null,
    at datetime not null,
    reason text not null
);
create index delivery_ends_state on delivery_ends (state, delivery_id);
create index delivery_ends_failed on delivery_ends (webhook_id, delivery_id) where state = 'failed';

create table attempts (
    delivery_id integer not null,
    started_at datetime not null,
    webhook_id integer not null,
    manual boolean not null,
    duration_us integer not null,
    code integer not null,
    error_class text not null,
    error text not null,
    url text not null,
    request_headers blob not null,
    response_headers blob not null,
    response_body blob not null,
    truncated boolean not null,
    reconnected boolean not null,
    arrived boolean not null,
    primary key (delivery_id, started_at)
);
create index attempts_failed on attempts (delivery_id) where not arrived;

-- The events of deliveries that have several.
create table triggers (
    event_id integer not null,
    webhook_id integer not null,
    delivery_id integer not null,
    primary key (event_id, webhook_id)
);
create index triggers_delivery on triggers (delivery_id);

create table lanes (
    webhook_id integer primary key,
    next_due_at datetime,
    leased_by text not null,
    leased_until datetime,
    slow boolean not null,
    paced boolean not null,
    released integer not null default 0,
    failures_in_row integer not null,
    failing_since datetime,
    last_failure_at datetime,
    last_success_at datetime,
    last_at datetime,
    last_code integer not null,
    last_error text not null
);
create index lanes_due on lanes (next_due_at) where next_due_at is not null;
-- Lanes that fail are few.
create index lanes_failing on lanes (webhook_id) where failures_in_row > 0;

-- How a webhook fared in each hour, written with the outcomes. A webhook's
-- hours lie side by side, since the list reads a day of each of its webhooks:
-- without a rowid the primary key is where the rows are.
create table webhook_hours (
    webhook_id integer not null,
    hour datetime not null,
    delivered integer not null,
    failed integer not null,
    ms_sum integer not null,
    ms_max integer not null,
    primary key (webhook_id, hour)
) without rowid;
create index webhook_hours_hour on webhook_hours (hour);
-- Which webhooks failed most is asked of these hours alone.
create index webhook_hours_failed on webhook_hours (webhook_id, hour, failed) where failed > 0;

-- Each running instance writes its heartbeat every few seconds, and how far its
-- clock is ahead of this database's; negative: behind.
create table instances (
    id text primary key,
    name text not null,
    role text not null,
    version text not null,
    started_at datetime not null,
    seen_at datetime not null,
    clock_ahead_ms bigint not null default 0,
    addresses text not null default ''
);

-- Sources: other systems whose activity arrives at /in/NAME, and followers. With
-- an address the sender posts to /in/NAME/TOKEN; the hash finds whether it is right.
create table sources (
    name text primary key,
    kind text not null,
    location text not null,
    fields text not null,
    program text not null,
    secret_1 text not null,
    secret_1_set_at datetime,
    secret_2 text not null,
    secret_2_set_at datetime,
    address text not null,
    address_hash text not null,
    address_set_at datetime,
    expect_hours integer not null,
    created_at datetime not null,
    updated_at datetime not null,
    updated_by text not null
);
create index sources_location on sources (location);

-- How a source fares, or with token:ID an ingest token. error is empty while its
-- newest request was read; error_at: since when it fails.
create table source_states (
    source text primary key,
    last_event_at datetime,
    last_read_at datetime,
    error text not null default '',
    error_at datetime,
    silent_since datetime
);

-- Every page asks which fail or are silent; they are few.
create index source_states_troubled on source_states (source) where error <> '' or silent_since is not null;

-- Events that a source, or with token:ID an ingest token, reported in an hour.
create table source_hours (
    source text not null,
    hour datetime not null,
    events integer not null,
    primary key (source, hour)
) without rowid;
create index source_hours_hour on source_hours (hour);

-- The place that a follower has reached. caught_up_at is reported_at less
-- behind_seconds: up to then everything has arrived.
create table source_cursors (
    source text primary key,
    place text not null,
    behind_seconds integer not null,
    skipped integer not null,
    last_skipped text not null,
    leased_by text not null,
    leased_until datetime,
    reported_at datetime not null,
    caught_up_at datetime not null
);
create index source_cursors_caught_up on source_cursors (caught_up_at);

-- The last requests of each source at /in. With next_at it waits for look-ups.
create table source_requests (
    id integer primary key autoincrement,
    source text not null,
    at datetime not null,
    verified boolean not null,
    state text not null,
    reason text not null,
    accepted integer not null,
    duplicates integer not null,
    event_ids text not null,
    from_addr text not null,
    headers blob not null,
    body blob not null,
    tries integer not null,
    next_at datetime
);
create index source_requests_source on source_requests (source, verified, id);
create index source_requests_at on source_requests (at);
create index source_requests_next on source_requests (next_at) where next_at is not null;

-- Events that a member sends to one webhook by hand: one, whose delivery is named,
-- or all that a filter finds, of which those up to place_at and place are done.
-- key is that of the form, so that it is carried out once.
create table manual_sends (
    id integer primary key autoincrement,
    key text not null unique,
    webhook_id integer not null,
    location text not null,
    query text not null,
    by_id integer not null,
    by_name text not null,
    at datetime not null,
    place_at datetime,
    place integer not null,
    through integer not null,
    total integer not null,
    created integer not null,
    after integer not null,
    delivery text not null,
    reason text not null,
    ended_at datetime
);
create index manual_sends_open on manual_sends (id) where ended_at is null;

-- How many events of a location were received in each hour, written by dispatch,
-- and how the webhooks of a location fared in each hour that is over, added up
-- from webhook_hours by pruning. An empty location: all of them together, so that
-- the overview reads one row of each for an hour.
create table event_hours (
    hour datetime not null,
    location text not null,
    events integer not null,
    primary key (hour, location)
) without rowid;

create table location_hours (
    hour datetime not null,
    location text not null,
    delivered integer not null,
    failed integer not null,
    ms_sum integer not null,
    ms_max integer not null,
    primary key (hour, location)
) without rowid;

-- E-mails to members and to the addresses of webhooks' settings. about says what
-- one tells, and of when, so that nobody is told twice: a row stays for a while
-- after it has ended, sent or given up.
create table mails (
    id integer primary key autoincrement,
    recipient text not null,
    about text not null,
    kind text not null,
    user_id integer not null,
    webhooks text not null,
    created_at datetime not null,
    due_at datetime not null,
    tries integer not null,
    error text not null,
    ended_at datetime,
    unique (recipient, about)
);
create index mails_due on mails (due_at) where ended_at is null;
create index mails_about on mails (about);

-- One-time links by which members choose a password, by the hash of the token.
create table login_links (
    hash text primary key,
    user_id integer not null,
    expires_at datetime not null
);
create index login_links_user on login_links (user_id);
