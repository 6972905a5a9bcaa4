package peer

// Programs that run in Node: their modules.

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
)

// InstallNode unpacks a program with its package.json and package-lock.json into a folder, and puts its modules beside it.
func InstallNode(ctx context.Context, dir string, program embed.FS) error {
	if err := os.CopyFS(dir, program); err != nil {
		return err
	}
	npm := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w: %s", err, out)
	}
	return nil
}
