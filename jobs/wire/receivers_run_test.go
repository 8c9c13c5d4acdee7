package wire

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// receiverLanguages are the languages of the code in every guide to a signed
// type: the code that makes a guide's function a program, and the command that
// runs it. Each program reads requests as JSON and prints the result of
// verified for each.
var receiverLanguages = map[string]struct {
	file, program string
	run           []string
}{
	"go": {"main.go", `package main

IMPORTS

SNIPPET

func main() {
	var requests []struct {
		Name, Secret string
		Headers      map[string]string
		Body         []byte
	}
	if err := json.NewDecoder(os.Stdin).Decode(&requests); err != nil {
		panic(err)
	}
	verdicts := map[string]bool{}
	for _, r := range requests {
		headers := http.Header{}
		for name, value := range r.Headers {
			headers.Set(name, value)
		}
		verdicts[r.Name] = verified(r.Secret, headers, r.Body)
	}
	_ = json.NewEncoder(os.Stdout).Encode(verdicts)
}
`, []string{"go", "run"}},
	"js": {"main.mjs", `import { readFileSync } from "node:fs";
SNIPPET
const verdicts = {};
for (const r of JSON.parse(readFileSync(0, "utf8"))) {
  verdicts[r.name] = verified(r.secret, r.headers, Buffer.from(r.body, "base64"));
}
console.log(JSON.stringify(verdicts));
`, []string{"node"}},
	"python": {"main.py", `SNIPPET

import base64 as b, json as j, sys as s
print(j.dumps({r["name"]: verified(r["secret"], r["headers"], b.b64decode(r["body"])) for r in j.load(s.stdin)}))
`, []string{"python3"}},
	"php": {"main.php", `<?php
SNIPPET
$verdicts = [];
foreach (json_decode(stream_get_contents(STDIN), true) as $r) {
    $verdicts[$r["name"]] = verified($r["secret"], $r["headers"], base64_decode($r["body"]));
}
echo json_encode($verdicts);
`, []string{"php"}},
}

func judgeByGuide(t *testing.T, language, snippet string, requests []received) {
	t.Helper()
	how := receiverLanguages[language]
	if snippet == "" {
		t.Fatalf("the guide has no code in %s", language)
	}
	const missing = "%s is missing; this command installs it (as root, on Debian): make setup"
	if _, err := exec.LookPath(how.run[0]); err != nil {
		t.Fatalf(missing, how.run[0])
	}
	if n := functionLines(snippet); n > 13 {
		t.Errorf("the guide's code has %d lines", n)
	}
	path := filepath.Join(t.TempDir(), how.file)
	program := strings.Replace(how.program, "SNIPPET", snippet, 1)
	if language == "go" {
		program = strings.Replace(program, "IMPORTS", importsOf(program), 1)
	}
	if err := os.WriteFile(path, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(requests)
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), how.run[0], append(how.run[1:], path)...)
	run.Stdin, run.Stderr = bytes.NewReader(input), t.Output()
	output, err := run.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	verdicts := map[string]bool{}
	if err := json.Unmarshal(output, &verdicts); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	for _, r := range requests {
		if good, judged := verdicts[r.Name]; !judged || good != r.good {
			t.Errorf("%s: judged %v, verified %v, want %v", r.Name, judged, good, r.good)
		}
	}
}

// functionLines counts the lines of code but for imports.
func functionLines(snippet string) (n int) {
	for line := range strings.Lines(snippet) {
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "import ") {
			n++
		}
	}
	return n
}

// importsOf are the packages that a program of the guides uses.
func importsOf(program string) string {
	var list strings.Builder
	list.WriteString("import (\n")
	for _, path := range []string{
		"crypto/hmac", "crypto/sha256", "encoding/base64", "encoding/hex", "encoding/json", "net/http",
		"os", "slices", "strconv", "strings", "time",
	} {
		if strings.Contains(program, filepath.Base(path)+".") {
			list.WriteString("\t\"" + path + "\"\n")
		}
	}
	return list.String() + ")"
}
