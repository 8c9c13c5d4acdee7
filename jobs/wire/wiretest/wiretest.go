// Package wiretest has what the golden tests of both halves of jobs/wire share.
package wiretest

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Cases are the names of the cases of a folder of testdata. The files NAME.json
// and NAME.golden must come in pairs, unless the golden files are written anew.
func Cases(t *testing.T, folder string) []string {
	t.Helper()
	cases, goldens := names(t, folder, ".json"), names(t, folder, ".golden")
	if !*update && !slices.Equal(cases, goldens) {
		t.Fatalf("cases %v, golden files %v: they must be the same", cases, goldens)
	}
	return cases
}

// names are the files with that ending, without it.
func names(t *testing.T, folder, ending string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*"+ending))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(filepath.Base(p), ending)
	}
	return paths
}

// Golden compares with the golden file of a case, or writes it anew.
func Golden(t *testing.T, folder, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", folder, name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
