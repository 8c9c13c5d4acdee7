package config

import (
	"encoding/base64"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgxpool"
)

// The first administrator's password follows the rule that members' passwords
// follow in the console.
const (
	minPassword = 8    // characters
	maxPassword = 1024 // bytes
)

// minConnections are the fewest that an instance works with.
const minConnections = 5

func enough(connections string) bool {
	n, err := strconv.ParseInt(connections, 10, 32)
	return err == nil && n >= minConnections
}

// execModes are how the driver may run statements.
var execModes = []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"}

// databaseURL checks without ever quoting: even the parser's own messages may
// contain a part of the password.
func (f *Faults) databaseURL(value string) string {
	const name, example = "DATABASE_URL", "postgres://sitehooks:password@db.internal:5432/sitehooks?sslmode=require" //nolint:gosec // an example, no credential
	if value == "" {
		return ""
	}
	if !strings.HasPrefix(value, "postgres://") && !strings.HasPrefix(value, "postgresql://") {
		f.add(name, example, "does not start with postgres:// or postgresql:// (leave it unset to use SQLite)")
		return ""
	}
	u, err := url.Parse(value)
	if err != nil {
		f.add(name, example, "is not a valid URL (in a user name or password write %% as %%25, / as %%2F, : as %%3A, # as %%23, ? as %%3F, @ as %%40)")
		return ""
	}
	query, err := url.ParseQuery(u.RawQuery)
	modes := []string{"", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
	switch {
	case err != nil:
		f.add(name, example, "has invalid parameters after the ?")
	case u.Host == "" && query.Get("host") == "":
		f.add(name, example, "has no host")
	case u.Fragment != "":
		f.add(name, example, "contains a #; write %%23 in a user name or password")
	case !slices.Contains(modes, query.Get("sslmode")):
		f.add(name, example, "has an sslmode that is not one of %s", strings.Join(modes[1:], ", "))
	case query.Has("pool_max_conns") && !enough(query.Get("pool_max_conns")):
		f.add(name, example+"&pool_max_conns=20", "has a pool_max_conns that is not a number of at least %d, the connections that an instance needs", minConnections)
	case query.Has("default_query_exec_mode") && !slices.Contains(execModes, query.Get("default_query_exec_mode")):
		f.add(name, example+"&default_query_exec_mode=exec", "has a default_query_exec_mode that is not one of %s", strings.Join(execModes, ", "))
	default:
		if _, err := pgxpool.ParseConfig(value); err == nil {
			return value
		}
		f.add(name, example, "is rejected by the PostgreSQL driver; check the port, the parameters after the ? and the files that they name")
	}
	return ""
}

// secretKeys decodes the keys; the first seals. Which one is wrong is told by
// its place, since a wrong key may be a right one with a letter too few.
func (f *Faults) secretKeys(value string, postgres bool) [][]byte {
	const name, example = "SITEHOOKS_SECRET_KEY", `"$(openssl rand -base64 32)"`
	if strings.TrimSpace(value) == "" {
		if postgres {
			f.add(name, example, "is not set; with PostgreSQL it is required, with the same value on every instance")
		}
		return nil
	}
	var keys [][]byte
	for i, entry := range strings.Split(value, ",") {
		key, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(entry))
		switch {
		case err != nil || strings.ContainsAny(strings.TrimSpace(entry), "\r\n"):
			f.add(name, example, "is wrong: key %d is not standard base64 (several keys are written new,old)", i+1)
		case len(key) != 32:
			f.add(name, example, "is wrong: key %d is %d bytes long, not 32", i+1, len(key))
		default:
			keys = append(keys, key)
		}
	}
	return keys
}

// admin returns both.
func (f *Faults) admin(email, password string) (address, word string) {
	const emailName, emailExample = "SITEHOOKS_ADMIN_EMAIL", "admin@example.com"
	const passwordName, passwordExample = "SITEHOOKS_ADMIN_PASSWORD", "'eight characters or more'"
	switch {
	case email == "" && password != "":
		f.add(emailName, emailExample, "is not set, but %s is; set both or neither", passwordName)
	case email != "" && password == "":
		f.add(passwordName, passwordExample, "is not set, but %s is; set both or neither", emailName)
	case password != "" && utf8.RuneCountInString(password) < minPassword:
		f.add(passwordName, passwordExample, "has fewer than %d characters", minPassword)
	case len(password) > maxPassword:
		f.add(passwordName, passwordExample, "has more than %d bytes", maxPassword)
	}
	if email == "" {
		return "", ""
	}
	if a, err := mail.ParseAddress(email); err != nil || a.Address != email || a.Name != "" {
		f.add(emailName, emailExample, "is %s, which is not an e-mail address", shown(email))
	}
	return email, password
}

// minToken is the shortest ingest token, in characters: it alone opens the
// ingest API for all locations.
const minToken = 16

func (f *Faults) token(value string) string {
	const name, example = "SITEHOOKS_INGEST_TOKEN", `"$(openssl rand -hex 32)"`
	switch {
	case value == "":
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }):
		f.add(name, example, "contains spaces or characters outside printable ASCII, which a request header cannot carry")
	case len(value) < minToken:
		f.add(name, example, "has fewer than %d characters and could be guessed", minToken)
	default:
		return value
	}
	return ""
}

func (f *Faults) oidc(issuer, id, secret string) (string, string, string) {
	if issuer == "" && id == "" && secret == "" {
		return "", "", ""
	}
	const issuerName, issuerExample = "SITEHOOKS_OIDC_ISSUER", "https://accounts.example.com"
	for _, v := range []struct{ name, value, example string }{
		{issuerName, issuer, issuerExample},
		{"SITEHOOKS_OIDC_CLIENT_ID", id, "sitehooks"},
		{"SITEHOOKS_OIDC_CLIENT_SECRET", secret, "'the secret the provider gave'"},
	} {
		if v.value == "" {
			f.add(v.name, v.example, "is not set, but others of SITEHOOKS_OIDC_* are; set all three or none")
		}
	}
	u, err := url.Parse(issuer)
	if issuer != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "") {
		f.add(issuerName, issuerExample, "is not an http:// or https:// address without user, query and fragment")
	}
	return issuer, id, secret
}
