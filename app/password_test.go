package app

import (
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/config"
	"github.com/sitehooks/sitehooks/handlers/passwords"
)

// TestFirstPasswordFollowsTheMembersRule: the rules for
// SITEHOOKS_ADMIN_PASSWORD are those for passwords in the console.
func TestFirstPasswordFollowsTheMembersRule(t *testing.T) {
	for password, want := range map[string]bool{
		strings.Repeat("x", 7):    false,
		strings.Repeat("x", 8):    true,
		strings.Repeat("ä", 7):    false, // 14 bytes
		strings.Repeat("ä", 8):    true,
		strings.Repeat("x", 1024): true,
		strings.Repeat("x", 1025): false,
		strings.Repeat("ä", 512):  true,
		strings.Repeat("ä", 513):  false, // 1,026 bytes
	} {
		_, console := passwords.Hash(password)
		_, variable := config.Load([]string{"SITEHOOKS_ADMIN_EMAIL=mary@example.com", "SITEHOOKS_ADMIN_PASSWORD=" + password})
		if (console == nil) != want || (variable == nil) != want {
			t.Errorf("%.8s… of %d bytes: the console says %v, the variable %v; want it taken: %v", password, len(password), console, variable, want)
		}
	}
}
