-- The part of an Apache Answer's tables that a follower reads, and two columns
-- of users that it must not read.
create table activity (
    id bigint primary key,
    created_at timestamp null,
    updated_at timestamp null,
    user_id bigint not null,
    trigger_user_id bigint not null default 0,
    object_id bigint not null default 0,
    original_object_id bigint not null default 0,
    activity_type int not null,
    cancelled int not null default 0,
    revision_id bigint not null default 0
);
create index activity_object on activity (object_id);
create table config (id int primary key, "key" varchar(128));
create table question (
    id bigint primary key,
    created_at timestamp null,
    updated_at timestamp null,
    user_id bigint not null default 0,
    last_edit_user_id bigint not null default 0,
    title varchar(150) not null default '',
    parsed_text text not null,
    "show" int not null default 1,
    status int not null default 1,
    vote_count int not null default 0,
    accepted_answer_id bigint not null default 0,
    revision_id bigint not null default 0
);
create table answer (
    id bigint primary key,
    created_at timestamp null,
    updated_at timestamp null,
    question_id bigint not null default 0,
    user_id bigint not null default 0,
    last_edit_user_id bigint not null default 0,
    parsed_text text not null,
    status int not null default 1,
    adopted int not null default 1,
    vote_count int not null default 0,
    revision_id bigint not null default 0
);
create table comment (
    id bigint primary key,
    created_at timestamp null,
    object_id bigint not null default 0,
    question_id bigint not null default 0,
    user_id bigint not null default 0,
    parsed_text text not null,
    status int not null default 0,
    vote_count int not null default 0
);
create table tag (id bigint primary key, slug_name varchar(35) not null, main_tag_id bigint not null default 0);
create table tag_rel (
    id bigint primary key,
    object_id bigint not null,
    tag_id bigint not null,
    status int not null default 1
);
create table "user" (
    id bigint primary key,
    username varchar(50) not null default '',
    display_name varchar(30) not null default '',
    status int not null default 1,
    pass varchar(255) not null default 'not to be read',
    e_mail varchar(100) not null default 'not to be read'
);
create table site_info (id int primary key, type varchar(64) not null, content text not null);
create table version (id int primary key, version_number int not null default 0);
