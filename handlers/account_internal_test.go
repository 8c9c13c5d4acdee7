package handlers

import "time"

// AskProviderAnew ends the pause after which the provider is asked again.
func AskProviderAnew(s *accountPages) { s.signOn.discovery.again = time.Now() }

// WaitForProvider sets how long a request waits for the provider.
func WaitForProvider(s *accountPages, wait time.Duration) { s.signOn.discovery.wait = wait }
