package app

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestIDCommand prints the same id until a new one is asked for.
func TestIDCommand(t *testing.T) {
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			o := modelstest.Options(t, kind)
			environ := []string{"SITEHOOKS_DATA_DIR=" + o.DataDir, "SITEHOOKS_SECRET_KEY=" + base64.StdEncoding.EncodeToString(modelstest.Key())}
			if o.DatabaseURL != "" {
				environ = append(environ, "DATABASE_URL="+o.DatabaseURL)
			}
			id := func(args ...string) string {
				out, _, err := run(t, environ, append([]string{"id"}, args...)...)
				if err != nil {
					t.Fatal(err)
				}
				return strings.TrimSpace(out)
			}
			first := id()
			if len(first) != 16 || id() != first {
				t.Errorf("the id is %q, and then %q", first, id())
			}
			second := id("--new")
			if second == first || id() != second {
				t.Errorf("after %q a new one is %q, and then %q", first, second, id())
			}
		})
	}
}
