package app_test

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/config"
)

// TestSupervisorsWaitForAStop: a stop takes up to 30 seconds, and each file that
// starts the program for an operator waits longer before it kills it.
func TestSupervisorsWaitForAStop(t *testing.T) {
	for path, expression := range map[string]string{
		"../compose.yaml":                           `x-sitehooks:[^$]*?stop_grace_period: (\d+)s`,
		"../deploy/systemd/sitehooks.service":       `(?m)^TimeoutStopSec=(\d+)$`,
		"../deploy/kubernetes/base/deployment.yaml": `terminationGracePeriodSeconds: (\d+)\n`,
	} {
		text, err := os.ReadFile(path)
		ok(t, err)
		found := regexp.MustCompile(expression).FindSubmatch(text)
		if found == nil {
			t.Errorf("%s does not say how long a stop may take", path)
			continue
		}
		if seconds, err := strconv.Atoi(string(found[1])); err != nil || seconds != 35 {
			t.Errorf("%s: %d seconds, %v", path, seconds, err)
		}
	}
}

// TestManifestsConfigureAnInstance: the values of the manifests are valid once
// those are replaced that have to be, and are refused before.
func TestManifestsConfigureAnInstance(t *testing.T) {
	var environ []string
	for _, file := range []string{"configmap", "secret"} {
		text, err := os.ReadFile("../deploy/kubernetes/base/" + file + ".yaml")
		ok(t, err)
		for _, entry := range regexp.MustCompile(`(?m)^  ([A-Z_]+): (\S.*)$`).FindAllStringSubmatch(string(text), -1) {
			environ = append(environ, entry[1]+"="+entry[2])
		}
	}
	if _, err := config.Load(environ); err == nil || !strings.HasPrefix(err.Error(), "SITEHOOKS_SECRET_KEY ") {
		t.Errorf("with the values as they are: %v", err)
	}
	replaced := "SITEHOOKS_SECRET_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	if c, err := config.Load(slices.Concat(environ, []string{replaced})); err != nil || c.DatabaseURL == "" || c.Addr != "0.0.0.0:8080" {
		t.Errorf("with a key: %+v %v", c, err)
	}
}
