package modelstest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

var errNoPostgres = errors.New("PostgreSQL's server programs (initdb, pg_ctl) were not found in PG_BIN, " +
	"/usr/lib/postgresql/*/bin or PATH; install them with: make setup")

// places are where packages put the server programs outside PATH.
var places = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
}

// binaries returns the folder with initdb and pg_ctl. PG_BIN alone decides
// when it is set, so that a test run can be pinned to one version; otherwise
// the newest installed version wins.
func binaries() (string, error) {
	if dir := os.Getenv("PG_BIN"); dir != "" {
		if complete(dir) {
			return dir, nil
		}
		return "", errNoPostgres
	}
	var found []string
	for _, place := range places {
		dirs, err := filepath.Glob(place)
		if err != nil {
			return "", err
		}
		found = append(found, dirs...)
	}
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if i := slices.IndexFunc(found, complete); i >= 0 {
		return found[i], nil
	}
	if path, err := exec.LookPath("initdb"); err == nil && complete(filepath.Dir(path)) {
		return filepath.Dir(path), nil
	}
	return "", errNoPostgres
}

func complete(dir string) bool {
	for _, name := range []string{"initdb", "pg_ctl", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

var digits = regexp.MustCompile(`[0-9]+`)

// version reads the major version out of a path, 0 when it names none.
func version(path string) int {
	n, err := strconv.Atoi(digits.FindString(path))
	if err != nil {
		return 0
	}
	return n
}
