grant select on activity, config, question, answer, comment, tag, tag_rel, version to sitehooks;
grant select (id, display_name, username, status) on "user" to sitehooks;
grant select (type, content) on site_info to sitehooks;
