// Package config reads the environment, once, into a Config.
//
// It promises that a Config it returns is complete and usable, and that it
// tells every fault at once, one line each, without ever repeating a secret. It
// does not know the use of the values, opens nothing and imports nothing of
// Sitehooks.
package config

import (
	"log/slog"
	"net/netip"
	"net/url"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Config is the environment, checked and in usable form.
type Config struct {
	// Addr is where to listen, host:port.
	Addr string
	// BaseURL is how browsers reach the console: scheme and host, no path.
	BaseURL *url.URL
	// TrustedProxies are the proxies whose X-Forwarded-* headers are trusted.
	TrustedProxies []netip.Prefix
	DataDir        string
	// DatabaseURL is PostgreSQL's; empty: SQLite in DataDir.
	DatabaseURL string
	// SecretKeys are 32 bytes each: the first seals, all open. Empty (only
	// with SQLite): a key is to be generated into DataDir.
	SecretKeys [][]byte
	// AdminEmail and AdminPassword are both set or both empty.
	AdminEmail    string
	AdminPassword string
	// IngestToken always works for the ingest API; empty: none.
	IngestToken string
	// AllowCIDRs and AllowHosts (lower case) may be delivered to although they
	// are private.
	AllowCIDRs []netip.Prefix
	AllowHosts []string
	// Proxy is the HTTP proxy through which deliveries leave; nil: none.
	Proxy *url.URL
	Role  Role
	// OIDCIssuer, OIDCClientID and OIDCClientSecret are all set or all empty.
	OIDCIssuer       string
	OIDCClientID     string
	OIDCClientSecret string
	Mail             *Mail  // nil: no e-mail is sent
	LogFormat        string // text or json
	LogLevel         slog.Level
}

// String hides everything: a Config holds secrets.
func (c Config) String() string { return "(configuration)" }

// GoString hides everything, as String does.
func (c Config) GoString() string { return c.String() }

// LogValue hides everything, as String does.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Role is the part of the work that an instance does.
type Role string

// Roles of an instance.
const (
	RoleAll  Role = "all"
	RoleWeb  Role = "web"  // console and APIs
	RoleJobs Role = "jobs" // dispatch and delivery; listens for health and metrics only
)

// Web tells whether an instance of this role serves console and APIs.
func (r Role) Web() bool { return r != RoleJobs }

// Jobs tells whether an instance of this role dispatches and delivers.
func (r Role) Jobs() bool { return r != RoleWeb }

// variables are the environment as it is written, with its defaults.
type variables struct {
	Addr             string `env:"SITEHOOKS_ADDR"               envDefault:"127.0.0.1:8080"`
	BaseURL          string `env:"SITEHOOKS_BASE_URL"`
	TrustedProxies   string `env:"SITEHOOKS_TRUSTED_PROXIES"`
	DataDir          string `env:"SITEHOOKS_DATA_DIR"           envDefault:"./data"`
	DatabaseURL      string `env:"DATABASE_URL"`
	SecretKey        string `env:"SITEHOOKS_SECRET_KEY"`
	AdminEmail       string `env:"SITEHOOKS_ADMIN_EMAIL"`
	AdminPassword    string `env:"SITEHOOKS_ADMIN_PASSWORD"`
	IngestToken      string `env:"SITEHOOKS_INGEST_TOKEN"`
	AllowTargets     string `env:"SITEHOOKS_ALLOW_TARGETS"`
	Proxy            string `env:"SITEHOOKS_PROXY"`
	Role             string `env:"SITEHOOKS_ROLE"               envDefault:"all"`
	OIDCIssuer       string `env:"SITEHOOKS_OIDC_ISSUER"`
	OIDCClientID     string `env:"SITEHOOKS_OIDC_CLIENT_ID"`
	OIDCClientSecret string `env:"SITEHOOKS_OIDC_CLIENT_SECRET"`
	SMTPURL          string `env:"SITEHOOKS_SMTP_URL"`
	MailFrom         string `env:"SITEHOOKS_MAIL_FROM"`
	LogFormat        string `env:"SITEHOOKS_LOG_FORMAT"         envDefault:"text"`
	LogLevel         string `env:"SITEHOOKS_LOG_LEVEL"          envDefault:"info"`
}

// Load reads an environment of NAME=value entries, as os.Environ returns it. A
// variable that is set but empty counts as unset; an unknown one that begins
// with SITEHOOKS_ is a fault. The error is a Faults.
func Load(environ []string) (Config, error) {
	values := make(map[string]string, len(environ)) // never nil: nil would mean the process's own
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok {
			values[name] = value
		}
	}
	v, err := env.ParseAsWithOptions[variables](env.Options{Environment: values})
	if err != nil {
		return Config{}, err
	}
	// In the order of the documentation, so that faults come in it too.
	var f Faults
	var c Config
	c.Addr = f.addr(v.Addr)
	c.BaseURL = f.baseURL(v.BaseURL, c.Addr)
	c.TrustedProxies = f.trustedProxies(v.TrustedProxies)
	c.DataDir = v.DataDir
	c.DatabaseURL = f.databaseURL(v.DatabaseURL)
	c.SecretKeys = f.secretKeys(v.SecretKey, c.DatabaseURL != "")
	c.AdminEmail, c.AdminPassword = f.admin(v.AdminEmail, v.AdminPassword)
	c.IngestToken = f.token(v.IngestToken)
	c.AllowCIDRs, c.AllowHosts = f.allowTargets(v.AllowTargets)
	c.Proxy = f.proxy(v.Proxy)
	c.Role = f.role(v.Role)
	c.OIDCIssuer, c.OIDCClientID, c.OIDCClientSecret = f.oidc(v.OIDCIssuer, v.OIDCClientID, v.OIDCClientSecret)
	c.Mail = f.mail(v.SMTPURL, v.MailFrom)
	c.LogFormat = f.logFormat(v.LogFormat)
	c.LogLevel = f.logLevel(v.LogLevel)
	f.unknown(values)
	if len(f) > 0 {
		return Config{}, f
	}
	return c, nil
}
