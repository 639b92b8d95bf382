"""The day a region dies: lease, warden, runner, journal and the steps of a recovery. No Pulumi, no sandbox."""
