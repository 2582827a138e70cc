// The cluster's DNS server: CoreDNS with what answers for Services and pods, and nothing else. As a whole it needs a newer
// Kubernetes than the one that is tested, and the clients of three clouds.
package main

import (
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
)

func main() {
	coremain.Run()
}
