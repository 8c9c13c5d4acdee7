package app_test

import (
	"database/sql"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// asRole is an environment for a new database of a new role with few
// connections.
func asRole(t *testing.T, server *modelstest.Server, db *sql.DB, connections int, parameters string) []string {
	t.Helper()
	name := fmt.Sprintf("role_%d", connections)
	apptest.Exec(t, db, fmt.Sprintf("create role %s login connection limit %d", name, connections))
	apptest.Exec(t, db, fmt.Sprintf("create database %s owner %[1]s", name))
	u, err := url.Parse(server.URL(name))
	ok(t, err)
	u.User, u.RawQuery = url.User(name), strings.TrimPrefix(u.RawQuery+"&"+parameters, "&")
	return []string{
		"SITEHOOKS_ADMIN_EMAIL=" + apptest.AdminEmail, "SITEHOOKS_ADMIN_PASSWORD=" + apptest.AdminPassword, "SITEHOOKS_INGEST_TOKEN=" + apptest.IngestToken,
		"SITEHOOKS_ALLOW_TARGETS=127.0.0.0/8", "DATABASE_URL=" + u.String(), "SITEHOOKS_SECRET_KEY=" + base64.StdEncoding.EncodeToString(modelstest.Key()),
	}
}

// TestRoleWithFewConnections: fewer than an instance needs are named at the
// start; with as many as it needs it works.
func TestRoleWithFewConnections(t *testing.T) {
	server := modelstest.StartPostgres(t)
	db, err := sql.Open("pgx", server.URL("postgres"))
	ok(t, err)
	defer db.Close()
	for n, says := range map[int]string{
		0: "too many connections for role \"role_0\" (an instance needs 5)",
		1: "is limited to 1 connections, but an instance needs 5", 4: "is limited to 4 connections, but an instance needs 5",
	} {
		_, errs, err := apptest.Output(t, append(asRole(t, server, db, n, ""), "SITEHOOKS_ADDR="+apptest.FreePort(t)), "", "serve")
		if err == nil || len(apptest.Lines(errs)) != 1 || !strings.HasPrefix(errs, "sitehooks: DATABASE_URL: ") || !strings.Contains(errs, says) || !strings.Contains(errs, "for example DATABASE_URL=") {
			t.Errorf("with %d: %v\n%s", n, err, errs)
		}
	}
	hook := apptest.NewReceiver(t)
	in := apptest.Serve(t, asRole(t, server, db, 5, ""))
	b := in.Login()
	b.Quick()
	b.CreateWebhook(apptest.WebhookForm(hook.URL + "/hook"))
	for i := range 20 {
		in.Accept(apptest.QuestionJSON(fmt.Sprintf("e%d", i), i+1, ""))
	}
	apptest.Eventually(t, "deliveries", func() bool { return len(distinct(hook.Items(t))) == 20 })
	if log := in.Log.String(); strings.Contains(log, "too many connections") {
		t.Errorf("with 5: %s", log)
	}
}

// TestMissingSchemaIsNamed at the start, with an example.
func TestMissingSchemaIsNamed(t *testing.T) {
	env := apptest.Environment(t, "postgres")
	for i, entry := range env {
		if address, is := strings.CutPrefix(entry, "DATABASE_URL="); is {
			u, err := url.Parse(address)
			ok(t, err)
			q := u.Query()
			q.Set("search_path", "nowhere")
			u.RawQuery = q.Encode()
			env[i] = "DATABASE_URL=" + u.String()
		}
	}
	_, errs, err := apptest.Output(t, env, "", "migrate")
	if err == nil || len(apptest.Lines(errs)) != 1 || !strings.HasPrefix(errs, "sitehooks: DATABASE_URL: none of the schemas in its search_path exists") || !strings.Contains(errs, "for example DATABASE_URL=") {
		t.Errorf("%v\n%s", err, errs)
	}
}
