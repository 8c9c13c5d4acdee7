package models_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
	"github.com/sitehooks/sitehooks/models/secret"
)

// TestABackupIsTheWholeDatabase, made while the store works: it opens as one with
// everything in it, only its owner may read it, and it names the keys that it needs.
func TestABackupIsTheWholeDatabase(t *testing.T) {
	o := modelstest.Options(t, "sqlite")
	s := modelstest.Open(t, o)
	w := create(t, s, func(in *models.WebhookInput) { in.Secrets[0].Set = "first-secret-0001" })
	newSource(t, s, "team", "one secret")
	ok(t, record(t, s, event("a")))
	oldKey := s.KeyIDs()

	folder := t.TempDir()
	t.Chdir(folder) // the name of the file may be relative
	made, err := models.BackUp(t.Context(), o.DataDir, models.SQLiteFile)
	ok(t, err)
	info, err := os.Stat(filepath.Join(folder, models.SQLiteFile))
	ok(t, err)
	if info.Mode().Perm() != 0o600 || info.Size() != made.Bytes || !slices.Equal(made.Keys, oldKey) {
		t.Errorf("mode %v, %d bytes; it says %+v", info.Mode(), info.Size(), made)
	}
	// What is stored later is not in it.
	before := modelstest.Dump(t, s)
	later := create(t, s, nil)
	restored := o
	restored.DataDir = folder
	from := modelstest.Open(t, restored)
	if after := modelstest.Dump(t, from); after != before {
		t.Errorf("the backup holds\n%s\nnot\n%s", after, before)
	}
	got, err := from.Webhooks.Get(t.Context(), models.AllLocations(), w.ID)
	ok(t, err)
	opened, err := from.Webhooks.Open(got)
	ok(t, err)
	want(t, "secret", opened.Secrets[0], "first-secret-0001")
	_, err = from.Webhooks.Get(t.Context(), models.AllLocations(), later.ID)
	want(t, "stored later", err, models.ErrNotFound)

	// A database whose secrets were not all sealed anew needs both keys.
	s.Close()
	o.Box, err = secret.NewBox(bytes.Repeat([]byte{9}, secret.KeySize), modelstest.Key())
	ok(t, err)
	s = modelstest.Open(t, o)
	create(t, s, nil)
	both := slices.Sorted(slices.Values(s.KeyIDs()))
	made, err = models.BackUp(t.Context(), o.DataDir, "both.db")
	ok(t, err)
	if len(both) != 2 || !slices.Equal(made.Keys, both) {
		t.Errorf("keys %q, want %q", made.Keys, both)
	}
}

// TestABackupThatFailsLeavesNoFile, and never writes over one that is there.
func TestABackupThatFailsLeavesNoFile(t *testing.T) {
	o := modelstest.Options(t, "sqlite")
	s := modelstest.Open(t, o)
	create(t, s, nil)
	folder := t.TempDir()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	older := filepath.Join(folder, "older.db")
	ok(t, os.WriteFile(older, []byte("an older backup"), 0o600))
	damaged, foreign := t.TempDir(), t.TempDir()
	ok(t, os.WriteFile(filepath.Join(damaged, models.SQLiteFile), []byte(strings.Repeat("no database ", 100)), 0o600))
	other, err := sql.Open("sqlite", filepath.Join(foreign, models.SQLiteFile))
	ok(t, err)
	_, err = other.ExecContext(t.Context(), "create table t (id bigint)")
	ok(t, errors.Join(err, other.Close()))
	for name, c := range map[string]struct {
		ctx      context.Context
		dir, to  string
		is       error
		says     string
		existing bool
	}{
		"no database":         {t.Context(), folder, filepath.Join(folder, "new.db"), fs.ErrNotExist, "there is no database in the folder " + folder, false},
		"an older file":       {t.Context(), o.DataDir, older, fs.ErrExist, older, true},
		"no folder":           {t.Context(), o.DataDir, filepath.Join(folder, "none", "new.db"), fs.ErrNotExist, "none", false},
		"stopped":             {gone, o.DataDir, filepath.Join(folder, "new.db"), context.Canceled, "", false},
		"a damaged database":  {t.Context(), damaged, filepath.Join(folder, "new.db"), nil, "not a database", false},
		"no database of ours": {t.Context(), foreign, filepath.Join(folder, "new.db"), nil, "no such table", false},
	} {
		t.Run(name, func(t *testing.T) {
			made, err := models.BackUp(c.ctx, c.dir, c.to)
			if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.HasPrefix(err.Error(), "back up: ") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v", err)
			}
			if made.Bytes != 0 || len(made.Keys) != 0 {
				t.Errorf("it describes %+v", made)
			}
			if _, err := os.Stat(c.to); (err == nil) != c.existing {
				t.Errorf("the file: %v", err)
			}
		})
	}
	text, err := os.ReadFile(older)
	ok(t, err)
	want(t, "the older backup", string(text), "an older backup")
}

// TestFilesOfTheDataFolderAreOfItsOwnerAlone: a file that is there is kept.
func TestFilesOfTheDataFolderAreOfItsOwnerAlone(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "key")
	ok(t, models.MakeFile(file))
	ok(t, os.WriteFile(file, []byte("content"), 0o600))
	ok(t, models.MakeFile(file)) // it is there already
	text, err := os.ReadFile(file)
	ok(t, err)
	want(t, "content", string(text), "content")
	info, err := os.Stat(file)
	ok(t, err)
	want(t, "mode", info.Mode().Perm(), 0o600)
	ok(t, os.Mkdir(filepath.Join(folder, "sub"), 0o700))
	for path, is := range map[string]error{"sub": nil, "none/key": fs.ErrNotExist} {
		err := models.MakeFile(filepath.Join(folder, path))
		if err == nil || is != nil && !errors.Is(err, is) || !strings.HasPrefix(err.Error(), "make a file of the data folder: ") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
