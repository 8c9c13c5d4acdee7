package app_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// clientsFolder has the programs that use the APIs, without the clients for which
// they are written.
const clientsFolder = "testdata/clients"

// clientsMissing ends the test when what makes clients is not installed.
const clientsMissing = "what makes clients of the API's description is missing; this command installs it: make setup"

// TestGeneratedClients: the description of the APIs is without an error for
// redocly, and clients that other people's generators make of it compile and do
// with the running program what programs do: create, list with paging, patch (a
// null too), pause, test, deliveries, explanation, resend, delete.
func TestGeneratedClients(t *testing.T) {
	hook := apptest.NewReceiver(t)
	env := apptest.Environment(t, "sqlite")
	in := apptest.Serve(t, env)
	in.Login().Quick()
	token, errs, err := apptest.Output(t, env, "", "token", "create", "--name", "deploy", "--scope", "manage")
	if err != nil {
		t.Fatal(err, errs)
	}
	description, err := apptest.Get(t, http.DefaultClient, in.Base+"/api/v1/openapi.json")
	ok(t, err)

	t.Run("redocly", func(t *testing.T) {
		dir := clientsDir(t, description.Body)
		npmBin(t, dir, "redocly", "lint", "openapi.json", "--extends=recommended")
	})
	for name, build := range map[string]func(t *testing.T, dir string) *exec.Cmd{"TypeScript": typeScriptClient, "Go": goClient} {
		t.Run(name, func(t *testing.T) {
			dir := clientsDir(t, description.Body)
			program := build(t, dir)
			program.Dir = dir
			program.Env = append(os.Environ(), "BASE="+in.Base, "TOKEN="+strings.TrimSpace(token), "INGEST_TOKEN="+apptest.IngestToken, "TARGET="+hook.URL+"/"+name)
			if out, err := program.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
	ids := map[string]int{}
	for _, d := range hook.Got() {
		ids[d.ID]++
	}
	if len(ids) != 4 || len(hook.Got()) != 6 { // of each client a test, and a delivery that is sent twice
		t.Errorf("received by id: %v", ids)
	}
}

// clientsDir is a folder of its own with the programs and the description.
func clientsDir(t *testing.T, description string) string {
	t.Helper()
	dir := t.TempDir()
	files, err := os.ReadDir(clientsFolder)
	ok(t, err)
	for _, file := range files {
		if file.Type().IsRegular() {
			text, err := os.ReadFile(filepath.Join(clientsFolder, file.Name()))
			ok(t, err)
			name := strings.TrimSuffix(file.Name(), ".txt") // as which it is no part of this module
			ok(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
		}
	}
	ok(t, os.WriteFile(filepath.Join(dir, "openapi.json"), []byte(description), 0o600))
	packages, err := filepath.Abs(filepath.Join(clientsFolder, "node_modules"))
	ok(t, err)
	if _, err := os.Stat(packages); err != nil {
		t.Fatal(clientsMissing)
	}
	ok(t, os.Symlink(packages, filepath.Join(dir, "node_modules")))
	return dir
}

// clientsRun runs a command that has to succeed.
func clientsRun(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true", "NO_COLOR=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v; if it is not there: %s\n%s", name, strings.Join(args, " "), err, clientsMissing, out)
	}
}

// npmBin runs a program of an npm package.
func npmBin(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	clientsRun(t, dir, filepath.Join("node_modules", ".bin", name), args...)
}

func typeScriptClient(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	npmBin(t, dir, "openapi-typescript", "openapi.json", "--output", "api.d.ts")
	npmBin(t, dir, "tsc")
	return exec.CommandContext(t.Context(), "node", "out/drive.js")
}

func goClient(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	generator, err := exec.CommandContext(t.Context(), "bash", "-c", ". ../.ci/tools && tool oapi-codegen").Output()
	ok(t, err)
	clientsRun(t, dir, strings.TrimSpace(string(generator)), "-config", "oapi-codegen.yaml", "openapi.json")
	clientsRun(t, dir, "go", "build", "-o", "drive", ".")
	return exec.CommandContext(t.Context(), filepath.Join(dir, "drive"))
}
