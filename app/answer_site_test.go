package app_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // the driver mysql

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/app/follow/answertest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// answerProgram is the variable that names Apache Answer's own program. It is
// no part of this project: docs/sources/answer.md tells how it is built.
const answerProgram = "ANSWER_PROGRAM"

// answerSite is an Apache Answer that runs beside the project.
type answerSite struct {
	t              *testing.T
	kind           string // of its database: sqlite, postgres or mariadb
	dir, base, dsn string // dsn: for the follower
	env            []string
	db             *sql.DB // for what its API cannot do
	cmd            *exec.Cmd
	tokens         map[string]string // by user
}

// Zones of the site's process: with SQLite it writes UTC in any.
const answerZone = "Europe/Berlin"

func newAnswerSite(t *testing.T, kind string) *answerSite {
	t.Helper()
	addr := apptest.FreePort(t)
	s := &answerSite{t: t, kind: kind, dir: t.TempDir(), base: "http://" + addr, tokens: map[string]string{}}
	env := map[string]string{
		"AUTO_INSTALL": "true", "LANGUAGE": "en-US", "SITE_NAME": "Answer", "SITE_URL": s.base, "CONTACT_EMAIL": "root@example.com",
		"ADMIN_NAME": "root", "ADMIN_PASSWORD": "password123", "ADMIN_EMAIL": "root@example.com", "EXTERNAL_CONTENT_DISPLAY": "always_display",
	}
	switch kind {
	case "sqlite":
		env["DB_TYPE"], env["DB_FILE"] = "sqlite3", filepath.Join(s.dir, "answer.db")
		s.dsn = env["DB_FILE"]
	case "postgres":
		owner := modelstest.PostgresURL(t)
		u, err := url.Parse(owner)
		ok(t, err)
		env["DB_TYPE"], env["DB_HOST"], env["DB_NAME"], env["DB_USERNAME"], env["DB_PASSWORD"] = "postgres", u.Host, u.Path[1:], "postgres", "none"
		s.open("pgx", owner)
		u.User = url.User("sitehooks")
		s.dsn = u.String()
	case "mariadb":
		at := startMariaDB(t)
		env["DB_TYPE"], env["DB_HOST"], env["DB_NAME"], env["DB_USERNAME"], env["DB_PASSWORD"] = "mysql", at, "answer", "answer", "secret"
		s.open("mysql", "root@tcp("+at+")/answer?sql_mode=%27ANSI_QUOTES%27")
		s.dsn = "mysql://sitehooks:secret@" + at + "/answer"
	}
	s.env = append(os.Environ(), "TZ="+answerZone)
	for name, value := range env {
		s.env = append(s.env, name+"="+value)
	}
	s.install(addr)
	s.start()
	s.signUp("ann", "bob")
	return s
}

func (s *answerSite) open(driver, source string) {
	s.t.Helper()
	db, err := sql.Open(driver, source)
	ok(s.t, err)
	s.t.Cleanup(func() { _ = db.Close() })
	s.db = db
}

// install makes the tables and the configuration, and gives the follower its
// grants.
func (s *answerSite) install(addr string) {
	s.t.Helper()
	init := exec.Command(os.Getenv(answerProgram), "init", "-C", s.dir)
	init.Env = s.env
	if out, err := init.CombinedOutput(); err != nil {
		s.t.Fatalf("answer init: %v\n%s", err, out)
	}
	file := filepath.Join(s.dir, "conf", "config.yaml")
	text, err := os.ReadFile(file)
	ok(s.t, err)
	ok(s.t, os.WriteFile(file, bytes.Replace(text, []byte("0.0.0.0:80"), []byte(addr), 1), 0o600))
	switch s.kind {
	case "sqlite":
		s.open("sqlite", "file:"+s.dsn+"?_pragma=busy_timeout(10000)")
		s.exec("pragma journal_mode = wal")
	case "postgres":
		s.exec("do $$ begin create role sitehooks login; exception when duplicate_object then null; end $$")
		for statement := range strings.SplitSeq(strings.TrimSpace(answertest.Grants), ";\n") {
			s.exec(statement)
		}
	case "mariadb":
		s.exec("create user sitehooks@'127.0.0.1' identified by 'secret'")
		for _, table := range []string{"activity", "config", "question", "answer", "comment", "tag", "tag_rel", "version"} {
			s.exec("grant select on answer." + table + " to sitehooks@'127.0.0.1'")
		}
		s.exec(`grant select (id, display_name, username, status) on answer."user" to sitehooks@'127.0.0.1'`)
		s.exec("grant select (type, content) on answer.site_info to sitehooks@'127.0.0.1'")
	}
}

func (s *answerSite) exec(statement string) {
	s.t.Helper()
	if _, err := s.db.ExecContext(s.t.Context(), statement); err != nil {
		s.t.Fatalf("%v: %s", err, statement)
	}
}

// number reads one number.
func (s *answerSite) number(statement string) (n int64) {
	s.t.Helper()
	ok(s.t, s.db.QueryRowContext(s.t.Context(), statement).Scan(&n))
	return n
}

func (s *answerSite) start() {
	s.t.Helper()
	s.cmd = exec.Command(os.Getenv(answerProgram), "run", "-C", s.dir)
	s.cmd.Env = s.env
	ok(s.t, s.cmd.Start())
	s.t.Cleanup(s.kill)
	apptest.Eventually(s.t, "Apache Answer", func() bool {
		a, err := apptest.Get(s.t, http.DefaultClient, s.base+"/answer/api/v1/siteinfo")
		return err == nil && a.Code == http.StatusOK
	})
	s.tokens["root"] = s.login("root@example.com")
	for name := range s.tokens {
		s.tokens[name] = s.login(name + "@example.com")
	}
}

// kill ends it at once.
func (s *answerSite) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

func (s *answerSite) login(email string) string {
	s.t.Helper()
	var user struct {
		Token string `json:"access_token"`
	}
	s.decode(s.call("", http.MethodPost, "/answer/api/v1/user/login/email", map[string]any{"e_mail": email, "pass": "password123"}), &user)
	return user.Token
}

// signUp adds members whose reputation lets them edit after a review.
func (s *answerSite) signUp(names ...string) {
	s.t.Helper()
	if s.kind == "postgres" { // its installation gives the first member an id that the sequence gives again
		s.exec(`select setval('user_id_seq', 1)`)
	}
	for _, name := range names {
		s.api("root", http.MethodPost, "/answer/admin/api/user", map[string]any{
			"display_name": strings.ToUpper(name[:1]) + name[1:], "email": name + "@example.com", "password": "password123",
		})
	}
	s.exec(`update "user" set "rank" = 500, mail_status = 1 where id > 1`)
	for _, name := range names {
		s.tokens[name] = s.login(name + "@example.com")
	}
}

// api calls the site as a member, who must be let.
func (s *answerSite) api(user, method, path string, body map[string]any) json.RawMessage {
	s.t.Helper()
	return s.call(s.tokens[user], method, path, body)
}

func (s *answerSite) call(token, method, path string, body map[string]any) json.RawMessage {
	s.t.Helper()
	text, err := json.Marshal(body)
	ok(s.t, err)
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, bytes.NewReader(text))
	ok(s.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", token)
	a, err := apptest.Do(s.t, http.DefaultClient, req)
	ok(s.t, err)
	var answer struct{ Data json.RawMessage }
	if err := json.Unmarshal([]byte(a.Body), &answer); err != nil || a.Code != http.StatusOK {
		s.t.Fatalf("%s %s: %d %s", method, path, a.Code, a.Body)
	}
	return answer.Data
}

func (s *answerSite) decode(text json.RawMessage, into any) {
	s.t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		s.t.Fatalf("%v: %s", err, text)
	}
}

var questionTags = []map[string]string{{"slug_name": "support", "display_name": "support", "original_text": "", "parsed_text": ""}}

// ask, answer and comment return Answer's id.
func (s *answerSite) ask(user, title string) string {
	s.t.Helper()
	var q struct{ ID string }
	s.decode(s.api(user, http.MethodPost, "/answer/api/v1/question", map[string]any{"title": title, "content": "About **" + title + "**", "tags": questionTags}), &q)
	return q.ID
}

func (s *answerSite) answer(user, question, text string) string {
	s.t.Helper()
	var a struct{ Info struct{ ID string } }
	s.decode(s.api(user, http.MethodPost, "/answer/api/v1/answer", map[string]any{"question_id": question, "content": text}), &a)
	return a.Info.ID
}

func (s *answerSite) comment(user, on, text string) string {
	s.t.Helper()
	var c struct {
		ID string `json:"comment_id"`
	}
	s.decode(s.api(user, http.MethodPost, "/answer/api/v1/comment", map[string]any{"object_id": on, "original_text": text, "mention_username_list": []string{}}), &c)
	return c.ID
}

func (s *answerSite) editQuestion(user, id, title string) {
	s.t.Helper()
	s.api(user, http.MethodPut, "/answer/api/v1/question", map[string]any{"id": id, "title": title, "content": "About " + title, "tags": questionTags, "edit_summary": "x"})
}

func (s *answerSite) editAnswer(user, id, text string) {
	s.t.Helper()
	s.api(user, http.MethodPut, "/answer/api/v1/answer", map[string]any{"id": id, "content": text, "edit_summary": "x"})
}

// accept marks an answer; none: "0".
func (s *answerSite) accept(user, question, answer string) {
	s.t.Helper()
	s.api(user, http.MethodPost, "/answer/api/v1/answer/acceptance", map[string]any{"question_id": question, "answer_id": answer})
}

// logged waits until the log has a row of an object.
func (s *answerSite) logged(object string) {
	s.t.Helper()
	apptest.Eventually(s.t, "a row in the log", func() bool {
		return s.number("select count(*) from activity where object_id = "+object) > 0
	})
}

// startMariaDB starts a server of its own and returns its address.
func startMariaDB(t *testing.T) string {
	t.Helper()
	dir, addr := t.TempDir(), apptest.FreePort(t)
	_, port, err := net.SplitHostPort(addr)
	ok(t, err)
	if out, err := exec.Command("mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--user=root", "--datadir="+dir+"/data", "--skip-test-db").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	server := exec.Command("mariadbd", "--no-defaults", "--user=root", "--datadir="+dir+"/data", "--socket="+dir+"/s", "--pid-file="+dir+"/pid", "--bind-address=127.0.0.1", "--port="+port)
	ok(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
	})
	db, err := sql.Open("mysql", "root@tcp("+addr+")/")
	ok(t, err)
	defer db.Close()
	apptest.Eventually(t, "MariaDB", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return db.PingContext(ctx) == nil
	})
	for _, statement := range []string{"create database answer character set utf8mb4", "create user answer@'127.0.0.1' identified by 'secret'", "grant all on answer.* to answer@'127.0.0.1'"} {
		_, err = db.ExecContext(t.Context(), statement)
		ok(t, err)
	}
	return addr
}
