package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/config"
)

// readme is the text of README.md.
func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	ok(t, err)
	return string(text)
}

// found is the match of an expression's one group in a text.
func found(t *testing.T, text, expression string) string {
	t.Helper()
	match := regexp.MustCompile(expression).FindStringSubmatch(text)
	if match == nil {
		t.Fatalf("the README has nothing like %s", expression)
	}
	return match[1]
}

// TestReadmeExampleReachesAWebhookOfTheDemo posts the README's example as it is
// written, with the token that the demo prints.
func TestReadmeExampleReachesAWebhookOfTheDemo(t *testing.T) {
	command := found(t, readme(t), "(?s)```sh\n(curl -H .*?)```")
	body := found(t, command, `(?s) -d '(.*?)' `)
	path := found(t, command, `\n  http://127\.0\.0\.1:8080(/\S+)\n$`)
	d := startDemo(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.base+path, strings.NewReader(body))
	ok(t, err)
	for _, header := range regexp.MustCompile(`-H (?:"(.*?)"|'(.*?)') `).FindAllStringSubmatch(command, -1) {
		name, value, _ := strings.Cut(header[1]+header[2], ": ")
		req.Header.Set(name, strings.ReplaceAll(value, "$SITEHOOKS_INGEST_TOKEN", d.token))
	}
	if a, err := apptest.Do(t, http.DefaultClient, req); err != nil || a.Code != http.StatusAccepted || !strings.Contains(a.Body, `"accepted":1`) {
		t.Fatalf("the demo answers %d %s, %v", a.Code, a.Body, err)
	}
	var event struct{ Question struct{ Title string } }
	ok(t, json.Unmarshal([]byte(body), &event))
	apptest.Eventually(t, "a notification of it that verifies", func() bool {
		a, err := apptest.Get(t, http.DefaultClient, d.receiver+"/requests.json")
		ok(t, err)
		var got struct {
			Requests []struct {
				Body   string
				Checks []struct{ Good bool }
			}
		}
		ok(t, json.Unmarshal([]byte(a.Body), &got))
		for _, r := range got.Requests {
			if strings.Contains(r.Body, event.Question.Title) {
				return len(r.Checks) > 0 && r.Checks[0].Good
			}
		}
		return false
	})
}

// TestComposeStartsAsTheReadmeSays runs the README's line with a docker that
// only notes how it is called, twice. The variables of compose.yaml are set by
// then, are valid for Sitehooks, and stay.
func TestComposeStartsAsTheReadmeSays(t *testing.T) {
	line := found(t, readme(t), "```sh\n(.*docker compose up)\n```")
	dir := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(dir, "docker"), []byte("#!/bin/sh\necho \"$@\" >>calls\n"), 0o700))
	command := ""
	for range 2 {
		cmd := exec.CommandContext(t.Context(), "bash", "-euc", line)
		cmd.Dir, cmd.Env = dir, []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%v %s", err, out)
		}
		env, err := os.ReadFile(filepath.Join(dir, ".env"))
		ok(t, err)
		if command != "" && string(env) != command {
			t.Error("the second start has other secrets than the first")
		}
		command = string(env)
	}
	if calls, err := os.ReadFile(filepath.Join(dir, "calls")); err != nil || string(calls) != "compose up\ncompose up\n" {
		t.Errorf("docker was called with %q, %v", calls, err)
	}
	if info, err := os.Stat(filepath.Join(dir, ".env")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the secrets: %v %v", info, err)
	}
	composed(t, apptest.Lines(command))
}

// composed starts nothing: it writes the values of a .env file into
// compose.yaml and checks the environment of an instance by the rules of
// Sitehooks.
func composed(t *testing.T, values []string) {
	t.Helper()
	text, err := os.ReadFile("../compose.yaml")
	ok(t, err)
	required := 0
	filled := regexp.MustCompile(`\$\{(\w+):([?-])([^}]*)\}`).ReplaceAllStringFunc(string(text), func(use string) string {
		parts := regexp.MustCompile(`\$\{(\w+):([?-])([^}]*)\}`).FindStringSubmatch(use)
		for _, value := range values {
			if set, is := strings.CutPrefix(value, parts[1]+"="); is && set != "" {
				required++
				return set
			}
		}
		if parts[2] == "?" {
			t.Errorf("%s is not set", parts[1])
		}
		return parts[3]
	})
	if required < 3 {
		t.Errorf("compose.yaml takes %d values of %d", required, len(values))
	}
	var environ []string
	for _, entry := range regexp.MustCompile(`(?m)^    ((?:SITEHOOKS|DATABASE)_\w+): (\S.*)$`).FindAllStringSubmatch(filled, -1) {
		environ = append(environ, fmt.Sprintf("%s=%s", entry[1], entry[2]))
	}
	if c, err := config.Load(environ); err != nil || c.DatabaseURL == "" || len(c.SecretKeys) != 1 {
		t.Errorf("an instance does not start with %q: %v", environ, err)
	}
}
