package app_test

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/handlers/passwords"
	"github.com/sitehooks/sitehooks/models/migrations"
	"github.com/sitehooks/sitehooks/models/modelstest"
	"github.com/sitehooks/sitehooks/models/secret"
)

// firstRows are the rows of an installation of the first release: one webhook
// that sends and one that is paused, deliveries that were delivered, failed,
// wait for a second attempt or are held, and an event that was not dispatched
// yet. {t -5m} is a time, {sealed words|context} a value sealed by that
// release, {b words} bytes.
const firstRows = `
insert into users (email, name, password_hash, role, must_change_password, created_at)
	values ('mary@example.com', 'Mary Wilkins', '{password}', 'administrator', false, {t -72h});
insert into locations (slug, name, created_at) values ('main', 'Main site', {t -72h});
insert into tags (location, name) values ('main', 'espresso');
insert into settings (name, value) values ('Webhooks.EnableGenericWebhooks', 'True'), ('Webhooks.DispatchDelay', '0'), ('Webhooks.DispatchInterval', '1');
insert into setting_changes (name, old_value, new_value, reason, by_id, by_name, at)
	values ('Webhooks.EnableGenericWebhooks', 'False', 'True', 'we start with webhooks', 1, 'Mary Wilkins', {t -72h});
insert into audit_entries (at, by_id, by_name, action, target, detail) values ({t -72h}, 1, 'Mary Wilkins', 'webhook.created', 'webhook 1 "Sends"', '');
insert into installations (id, key_check, public_id, created_at) values (1, '{sealed sitehooks|installation}', 'first', {t -72h});
insert into dispatch_runs (id, next_at, last_at) values (1, {t -60m}, {t -60m});
insert into match_versions (id, version) values (1, 4);
insert into webhooks (id, type, name, location, events, tag_mode, tags, community, url, url_shown, secret_1, secret_1_set_at, secret_2, headers, options,
		state, state_reason, state_at, state_by, owner_id, owner_name, created_at, updated_at, updated_by)
	values (1, 'generic', 'Sends', 'main', '["question.created"]', 'all', '[]', '', '{sealed {url}|webhook:1:url}', '{url}',
		'{sealed {secret}|webhook:1:secret1}', {t -72h}, '', '{sealed [{"Name":"X-Api-Key","Value":"of the first release"}]|webhook:1:headers}', '{}',
		'active', '', null, '', 1, 'Mary Wilkins', {t -72h}, {t -72h}, 'Mary Wilkins'),
	(2, 'generic', 'Holds', 'main', '["question.created"]', 'specific', '["espresso"]', '', '{sealed {url}/held|webhook:2:url}', '{url}/held',
		'', null, '', '', '{}', 'stopped', '', {t -48h}, 'Mary Wilkins', 1, 'Mary Wilkins', {t -72h}, {t -48h}, 'Mary Wilkins');
insert into webhook_versions (webhook_id, version, at, by, type, name, location, events, tag_mode, tags, community, state, reason, deleted)
	values (1, 2, {t -72h}, 'Mary Wilkins', 'generic', 'Sends', 'main', '["question.created"]', 'all', '[]', '', 'active', '', false),
	(2, 3, {t -72h}, 'Mary Wilkins', 'generic', 'Holds', 'main', '["question.created"]', 'specific', '["espresso"]', '', 'active', '', false),
	(2, 4, {t -48h}, 'Mary Wilkins', 'generic', 'Holds', 'main', '["question.created"]', 'specific', '["espresso"]', '', 'stopped', '', false);
insert into lanes (webhook_id, next_due_at, leased_by, slow, paced, failures_in_row, failing_since, last_failure_at, last_at, last_code, last_error)
	values (1, {t -59m}, '', false, false, 1, {t -60m}, {t -60m}, {t -60m}, 503, ''), (2, null, '', false, false, 0, null, null, null, 0, '');
insert into events (id, event_id, type, location, community, tags, merge_key, subject, title, occurred_at, received_at, payload)
	values (1, 'old-1', 'question.created', 'main', '', '["espresso"]', 'main question.created 1', '1', 'Question old-1', {t -61h}, {t -61h}, {question 1}),
	(2, 'old-2', 'question.created', 'main', '', '["espresso"]', 'main question.created 2', '2', 'Question old-2', {t -61m}, {t -61m}, {question 2}),
	(3, 'old-3', 'question.created', 'main', '', '["espresso"]', 'main question.created 3', '3', 'Question old-3', {t -60m}, {t -60m}, {question 3});
insert into pending_events (location, received_at, event_id, merge_key) values ('main', {t -60m}, 3, 'main question.created 3');
insert into dispatches (id, at, match_version, logged) values (1, {t -61h}, 3, true), (2, {t -60m}, 4, true);
insert into deliveries (id, public_id, webhook_id, location, event_id, dispatch_id, event_types, items, created_at, body)
	values (1, 'msg_delivered', 1, 'main', 1, 1, ',question.created,', 1, {t -61h}, {body 1}),
	(2, 'msg_retrying', 1, 'main', 2, 2, ',question.created,', 1, {t -60m}, {body 2}),
	(3, 'msg_held', 2, 'main', 2, 2, ',question.created,', 1, {t -60m}, {body 2}),
	(4, 'msg_failed', 2, 'main', 1, 1, ',question.created,', 1, {t -61h}, {body 1});
insert into delivery_queue (delivery_id, webhook_id, due_at, round, tries, resend, paced, subject, bytes)
	values (2, 1, {t -59m}, 1, 1, false, false, 0, 60), (3, 2, {t -60m}, 0, 0, false, false, 0, 60);
insert into delivery_ends (delivery_id, webhook_id, state, at, reason) values (4, 2, 'failed', {t -50h}, 'The last attempt failed.');
insert into attempts (delivery_id, started_at, webhook_id, manual, duration_us, code, error_class, error, url, request_headers, response_headers, response_body, truncated, reconnected, arrived)
	values (1, {t -61h}, 1, false, 12000, 200, '', '', '{url}', {b []}, {b []}, {b thank you}, false, false, true),
	(2, {t -60m}, 1, false, 12000, 503, '', '', '{url}', {b []}, {b []}, {b later}, false, false, false),
	(4, {t -50h}, 2, false, 12000, 500, '', '', '{url}', {b []}, {b []}, {b later}, false, false, false)`

// firstInstallation makes a database as the first release left it, whose
// webhooks have the target.
func firstInstallation(t testing.TB, env []string, target string) {
	t.Helper()
	db, dialect, folder := openDatabase(t, env), goose.DialectSQLite3, "sqlite"
	if apptest.ValueOf(env, "DATABASE_URL") != "" {
		dialect, folder = goose.DialectPostgres, "postgres"
	}
	files, err := fs.Sub(migrations.FS, folder)
	ok(t, err)
	first, err := goose.NewProvider(dialect, db, files)
	ok(t, err)
	_, err = first.UpTo(t.Context(), 1)
	ok(t, err)
	hash, err := passwords.Hash(apptest.AdminPassword)
	ok(t, err)
	rows := strings.NewReplacer("{url}", target, "{secret}", apptest.TypeSecrets["generic"], "{password}", hash).Replace(firstRows)
	apptest.Exec(t, db, firstWords(t, rows, folder))
	if folder == "postgres" {
		for _, table := range []string{"webhooks", "events", "deliveries", "dispatches"} {
			apptest.Exec(t, db, fmt.Sprintf("select setval(pg_get_serial_sequence('%s', 'id'), (select max(id) from %[1]s))", table))
		}
	}
	ok(t, db.Close())
}

var (
	firstTime   = regexp.MustCompile(`\{t ([^}]*)\}`)
	firstSealed = regexp.MustCompile(`\{sealed ([^|]*)\|([^}]*)\}`)
	firstBytes  = regexp.MustCompile(`\{(b|body|question) ([^}]*)\}`)
)

// firstWords puts the rows into a dialect's words.
func firstWords(t testing.TB, rows, folder string) string {
	t.Helper()
	box, err := secret.NewBox(modelstest.Key())
	ok(t, err)
	rows = firstSealed.ReplaceAllStringFunc(rows, func(m string) string {
		piece := firstSealed.FindStringSubmatch(m)
		return string(box.Seal(piece[1], piece[2]))
	})
	now := time.Now()
	rows = firstTime.ReplaceAllStringFunc(rows, func(m string) string {
		ago, err := time.ParseDuration(firstTime.FindStringSubmatch(m)[1])
		ok(t, err)
		if folder == "postgres" {
			return "'" + now.Add(ago).UTC().Format(time.RFC3339Nano) + "'"
		}
		return strconv.FormatInt(now.Add(ago).UnixMicro(), 10)
	})
	return firstBytes.ReplaceAllStringFunc(rows, func(m string) string {
		piece := firstBytes.FindStringSubmatch(m)
		text := piece[2]
		switch piece[1] {
		case "body":
			text = fmt.Sprintf(`{"questions":[{"question_id":%s}],"answers":[],"comments":[]}`, piece[2])
		case "question":
			n, err := strconv.Atoi(piece[2])
			ok(t, err)
			text = strings.Replace(apptest.QuestionJSON("old-"+piece[2], n, ""), `"link":`, `"tags":["espresso"],"link":`, 1)
		}
		if folder == "postgres" {
			return fmt.Sprintf("'\\x%x'", text)
		}
		return fmt.Sprintf("x'%x'", text)
	})
}

// An installation of the first release, brought up to date by a start: waiting
// deliveries are sent, with their secret and header; finished ones are in the
// history; held ones are held until their webhook is resumed; and the
// installation works.
func TestUpgradeFromTheFirstRelease(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		env, hook := apptest.WithKey(apptest.Environment(t, kind)), apptest.NewReceiver(t)
		firstInstallation(t, env, hook.URL)
		in := apptest.Serve(t, env)
		b := in.Login()
		apptest.Eventually(t, "what waited", func() bool { got := distinct(hook.Items(t)); return got[2] && got[3] })
		for _, d := range hook.Got() {
			ok(t, apptest.VerifyType("generic", d))
			if d.Header.Get("X-Api-Key") != "of the first release" {
				t.Errorf("headers %v", d.Header)
			}
		}
		if got := hook.Got(); len(got) != 2 || got[0].ID != "msg_retrying" && got[1].ID != "msg_retrying" {
			t.Errorf("received %v", got)
		}
		for path, want := range map[string]string{
			"/admin/webhooks":              "Showing 2 of 2 webhooks",
			"/admin/trigger-history/1":     "Delivered",
			"/admin/deliveries/msg_failed": "The last attempt failed.",
			"/admin/deliveries/msg_held":   "by Mary Wilkins",
			"/admin/audit":                 "Mary Wilkins",
			"/developer/site-settings/edit?name=Webhooks.EnableGenericWebhooks": "we start with webhooks",
		} {
			if a := b.Get(path); a.Code != http.StatusOK || !strings.Contains(a.Body, want) {
				t.Errorf("%s: %d without %q", path, a.Code, want)
			}
		}
		if a := b.Post("/admin/webhooks/2/resume", url.Values{"held": {"send"}}); a.Code != http.StatusSeeOther {
			t.Fatalf("resume: %d %s", a.Code, a.Body)
		}
		in.Accept(apptest.QuestionJSON("new", 4, ""))
		apptest.Eventually(t, "what was held, and what is new", func() bool {
			ids := map[string]bool{}
			for _, d := range hook.Got() {
				ids[d.ID] = true
			}
			return ids["msg_held"] && distinct(hook.Items(t))[4]
		})
		for _, d := range hook.Got() {
			if d.ID == "msg_delivered" || d.ID == "msg_failed" {
				t.Errorf("%s was sent again", d.ID)
			}
		}
	})
}

// TestOlderReleaseRefusesANewerSchema: it says so in one line and leaves the
// database as it is.
func TestOlderReleaseRefusesANewerSchema(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		env := apptest.Environment(t, kind)
		if _, errs, err := apptest.Output(t, env, "", "migrate"); err != nil {
			t.Fatalf("migrate: %v %s", err, errs)
		}
		db := openDatabase(t, env)
		defer db.Close()
		apptest.Exec(t, db, "insert into goose_db_version (version_id, is_applied) values (99999, true)")
		for _, command := range []string{"serve", "migrate"} {
			_, errs, err := apptest.Output(t, append(env, "SITEHOOKS_ADDR="+apptest.FreePort(t)), "", command)
			if err == nil || len(apptest.Lines(errs)) != 1 || !strings.Contains(errs, "a later release has changed it (it is at 99999,") {
				t.Errorf("%s: %v\n%s", command, err, errs)
			}
		}
	})
}
