package app

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestBackupCommand: the copy is a database that opens with the key that the
// command names, only its owner may read it, and no file is overwritten.
func TestBackupCommand(t *testing.T) {
	o := modelstest.Options(t, "sqlite")
	s := modelstest.Open(t, o)
	_, err := s.Webhooks.Create(t.Context(), operator, models.WebhookInput{
		Type: "generic", Name: "One", Location: models.MainLocation, Events: []string{"question.created"},
		TagMode: models.TagsAll, URL: "https://example.com/hook", URLShown: "https://example.com/hook",
	})
	if err != nil {
		t.Fatal(err)
	}
	id := s.KeyIDs()[0]
	to := filepath.Join(t.TempDir(), models.SQLiteFile)
	key := "SITEHOOKS_SECRET_KEY=" + base64.StdEncoding.EncodeToString(modelstest.Key())
	environ := []string{"SITEHOOKS_DATA_DIR=" + o.DataDir, key}
	out, errs, err := run(t, environ, "backup", to)
	if err != nil || errs != "" || !strings.Contains(out, "sealed with the key "+id+" (in SITEHOOKS_SECRET_KEY).") {
		t.Errorf("%v: %s%s", err, out, errs)
	}
	before, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v %v", info.Mode(), err)
	}
	if _, _, err := run(t, environ, "backup", to); err == nil || err.Error() != "<file>: "+to+" exists already; choose another name" {
		t.Errorf("to a file that exists: %v", err)
	}
	if after, err := os.ReadFile(to); err != nil || string(after) != string(before) {
		t.Errorf("the file was changed: %v", err)
	}
	restored := modelstest.Open(t, models.Options{DataDir: filepath.Dir(to), Box: o.Box})
	if w, err := restored.Webhooks.Get(t.Context(), models.AllLocations(), 1); err != nil || w.Name != "One" {
		t.Errorf("restored: %+v %v", w, err)
	}
}

// TestBackupNamesTheKeys: the key in the data folder, and those that it cannot
// find.
func TestBackupNamesTheKeys(t *testing.T) {
	dir := t.TempDir()
	environ := []string{"SITEHOOKS_DATA_DIR=" + dir}
	if _, _, err := run(t, environ, "migrate"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, keyFile)
	out, _, err := run(t, environ, "backup", filepath.Join(t.TempDir(), "a.db"))
	if err != nil || !strings.Contains(out, "(in "+file+")") {
		t.Errorf("%v: %s", err, out)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	out, _, err = run(t, environ, "backup", filepath.Join(t.TempDir(), "b.db"))
	if err != nil || !strings.Contains(out, "(which this command was not given)") {
		t.Errorf("without the key: %v: %s", err, out)
	}
}

// TestBackupThatFails leaves no file.
func TestBackupThatFails(t *testing.T) {
	dir := t.TempDir()
	to := filepath.Join(t.TempDir(), "copy.db")
	for says, environ := range map[string][]string{
		"there is no database in the folder " + dir: {"SITEHOOKS_DATA_DIR=" + dir},
		"use pg_dump": {"DATABASE_URL=postgres://sitehooks:hush@127.0.0.1:1/sitehooks", "SITEHOOKS_SECRET_KEY=" + base64.StdEncoding.EncodeToString(modelstest.Key())},
	} {
		out, _, err := run(t, environ, "backup", to)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hush") || out != "" {
			t.Errorf("%s: %v %s", says, err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, models.SQLiteFile), []byte("no database at all, but some other text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := run(t, []string{"SITEHOOKS_DATA_DIR=" + dir}, "backup", to); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("of what is no database: %v", err)
	}
	if _, err := os.Stat(to); !os.IsNotExist(err) {
		t.Errorf("a file is left: %v", err)
	}
	if _, _, err := run(t, []string{"SITEHOOKS_DATA_DIR=" + dir}, "backup", filepath.Join(dir, "none", "copy.db")); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("into no folder: %v", err)
	}
}
