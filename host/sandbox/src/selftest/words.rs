//! The words of the table: verbs, zones, kinds of paths, and what can be at a path.
//!
//! **Invariant:** each is an enum with a list of all its cases from one macro, so a word that is added and not handled is an
//! error of the compiler, and one that is handled is in the table.

use serde::Serialize;

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $case:ident = $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $text)] $case,)* }

        impl $name {
            /// All of them, in the order of the table.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$case),*];

            /// How it is called in the table.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$case => $text),* }
            }
        }
    };
}

words! {
    /// A function of the WIT resource `descriptor`.
    Verb {
        /// Opens a stream of bytes to read.
        ReadViaStream = "read-via-stream",
        /// Opens a stream of bytes to write at an offset.
        WriteViaStream = "write-via-stream",
        /// Opens a stream of bytes to write at the end.
        AppendViaStream = "append-via-stream",
        /// Says how a file will be used.
        Advise = "advise",
        /// Brings bytes to the disk.
        SyncData = "sync-data",
        /// Tells the flags of a handle.
        GetFlags = "get-flags",
        /// Tells what a handle is open on.
        GetType = "get-type",
        /// Cuts or extends a file.
        SetSize = "set-size",
        /// Sets times by a handle.
        SetTimes = "set-times",
        /// Reads bytes.
        Read = "read",
        /// Writes bytes.
        Write = "write",
        /// Lists a directory.
        ReadDirectory = "read-directory",
        /// Brings everything to the disk.
        Sync = "sync",
        /// Makes a directory.
        CreateDirectoryAt = "create-directory-at",
        /// Looks at a handle.
        Stat = "stat",
        /// Looks at a path.
        StatAt = "stat-at",
        /// Sets times by a path.
        SetTimesAt = "set-times-at",
        /// Makes a hard link.
        LinkAt = "link-at",
        /// Opens a file or a directory.
        OpenAt = "open-at",
        /// Tells where a link leads.
        ReadlinkAt = "readlink-at",
        /// Removes a directory.
        RemoveDirectoryAt = "remove-directory-at",
        /// Gives another name.
        RenameAt = "rename-at",
        /// Makes a symbolic link.
        SymlinkAt = "symlink-at",
        /// Removes a file.
        UnlinkFileAt = "unlink-file-at",
        /// Compares two handles.
        IsSameObject = "is-same-object",
        /// Digests what a look at a handle tells.
        MetadataHash = "metadata-hash",
        /// Digests what a look at a path tells.
        MetadataHashAt = "metadata-hash-at",
    }
}

words! {
    /// Whose a path is: what the policy says of the place that it leads to.
    Zone {
        /// May be read and written.
        Own = "own",
        /// May be read.
        ReadOnly = "read-only",
        /// May be written.
        WriteOnly = "write-only",
        /// Is in no list.
        Hidden = "hidden",
        /// Is denied.
        Denied = "denied",
        /// Lies outside the workspace.
        Outside = "outside",
    }
}

words! {
    /// What a path leads to.
    Thing {
        /// A file.
        File = "file",
        /// A directory.
        Dir = "directory",
        /// Nothing yet.
        Missing = "nothing",
    }
}

words! {
    /// How a path leads there.
    Kind {
        /// Folder and name.
        Plain = "plain",
        /// Two folders and a name.
        Deep = "deep",
        /// Below something that is not there.
        BelowMissing = "below-nothing",
        /// Below a file.
        ThroughFile = "through-file",
        /// A folder that may only be passed through.
        Way = "way",
        /// With `.`, `..` and empty names.
        Dots = "dots",
        /// Down and up again.
        Back = "back",
        /// Through a forbidden folder and up again.
        Through = "through",
        /// With a slash at its end.
        Slash = "slash",
        /// With several slashes, or a dot, at its end.
        Slashes = "slashes",
        /// A symbolic link.
        Link = "link",
        /// Through a symbolic link to a directory.
        LinkInside = "link-inside",
        /// A symbolic link with a slash behind it.
        LinkSlash = "link-slash",
        /// A symbolic link to a symbolic link.
        Chain = "chain",
        /// A symbolic link whose own target leads through another.
        ChainInside = "chain-inside",
        /// A symbolic link to itself.
        Loop = "loop",
        /// A symbolic link that the guest made.
        GuestLink = "guest-link",
        /// Through such a link.
        GuestLinkInside = "guest-link-inside",
        /// One of two names of a file.
        HardLink = "hard-link",
        /// The same, made by the guest.
        GuestHardLink = "guest-hard-link",
        /// In a folder that the guest has renamed.
        RenamedParent = "renamed-parent",
        /// The path that it had before.
        OldPath = "old-path",
        /// From a handle that the guest holds.
        Held = "held",
        /// The same after the guest has renamed the folder.
        HeldRenamed = "held-renamed",
        /// The same after others have moved the folder.
        HeldMoved = "held-moved",
        /// In other letter case.
        Case = "case",
        /// In letters of the same meaning.
        Nfkc = "nfkc",
        /// With code points that some file systems ignore.
        Ignorable = "ignorable",
        /// With a dot behind a name.
        TrailingDot = "trailing-dot",
        /// With a space behind a name.
        TrailingSpace = "trailing-space",
        /// With the name of a stream behind a name.
        Stream = "stream",
        /// Spelled from the root of the host.
        Absolute = "absolute",
        /// Spelled with backslashes.
        Backslash = "backslash",
        /// A named pipe.
        Fifo = "fifo",
        /// A socket.
        Socket = "socket",
        /// A device.
        Device = "device",
    }
}

words! {
    /// Kinds of paths that belong together: a column of the summary.
    Family {
        /// Plain paths, and folders on the way.
        Plain = "name",
        /// `.` and `..`.
        Dots = "dots",
        /// Slashes at the end.
        Tail = "tail",
        /// Symbolic links.
        Link = "link",
        /// Chains and loops of them.
        Chain = "hops",
        /// Links that the guest made.
        Made = "made",
        /// Hard links.
        Twin = "twin",
        /// Renamed parents.
        Moved = "move",
        /// Held handles.
        Held = "held",
        /// Letter case.
        Case = "case",
        /// Look-alikes and paths of other systems.
        Alike = "like",
        /// Pipes, sockets, devices.
        Special = "node",
    }
}

impl Kind {
    /// The column that it is counted in.
    #[must_use]
    pub fn family(self) -> Family {
        match self {
            Self::Plain | Self::Deep | Self::BelowMissing | Self::ThroughFile | Self::Way => {
                Family::Plain
            }
            Self::Dots | Self::Back | Self::Through => Family::Dots,
            Self::Slash | Self::Slashes => Family::Tail,
            Self::Link | Self::LinkInside | Self::LinkSlash => Family::Link,
            Self::Chain | Self::ChainInside | Self::Loop => Family::Chain,
            Self::GuestLink | Self::GuestLinkInside => Family::Made,
            Self::HardLink | Self::GuestHardLink => Family::Twin,
            Self::RenamedParent | Self::OldPath => Family::Moved,
            Self::Held | Self::HeldRenamed | Self::HeldMoved => Family::Held,
            Self::Case => Family::Case,
            Self::Nfkc
            | Self::Ignorable
            | Self::TrailingDot
            | Self::TrailingSpace
            | Self::Stream
            | Self::Absolute
            | Self::Backslash => Family::Alike,
            Self::Fifo | Self::Socket | Self::Device => Family::Special,
        }
    }
}

impl Family {
    /// What is counted there.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Plain => "plain paths",
            Self::Dots => "with . and ..",
            Self::Tail => "with slashes at the end",
            Self::Link => "symbolic links to files and directories",
            Self::Chain => "chains of links",
            Self::Made => "links that the guest made",
            Self::Twin => "hard links",
            Self::Moved => "renamed parents",
            Self::Held => "held handles",
            Self::Case => "other letter case",
            Self::Alike => "look-alikes, other systems' paths",
            Self::Special => "pipes, sockets, devices",
        }
    }
}
